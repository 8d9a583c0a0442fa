"""Django under ASGI, in one file, with a view that is as it was under WSGI: its iterator is not async."""

import time

import django
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.http import JsonResponse, StreamingHttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

settings.configure(SECRET_KEY="for a test", ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__)
django.setup()


def tokens():
    for number in range(20):
        time.sleep(0.1)
        yield f'data: {{"content": "token {number} "}}\n\n'


@csrf_exempt
def chat(request):
    # Django reads such an iterator to its end before it sends anything, and says so in a warning.
    return StreamingHttpResponse(tokens(), content_type="text/event-stream")


def health(request):
    return JsonResponse({"status": "ok"})


urlpatterns = [path("chat", chat), path("health", health)]
app = get_asgi_application()
