"""A pool that grows as .NET's does: it begins with a thread for each core, and gets one more every second while work
waits. All requests need one of its threads, from their first byte to their last.
"""

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer


class GrowingPool(ThreadPoolExecutor):
    def __init__(self):
        super().__init__(max_workers=os.cpu_count())
        threading.Thread(target=self.grow, daemon=True).start()

    def grow(self):
        while True:
            time.sleep(1)
            if not self._work_queue.empty():
                self._max_workers += 1
                self._adjust_thread_count()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/health" else 404)
        self.end_headers()

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        for number in range(100):
            self.wfile.write(f"data: token {number}\n\n".encode())
            time.sleep(0.2)

    def log_message(self, *_):
        pass


class Server(HTTPServer):
    request_queue_size = 1024
    pool = GrowingPool()

    def process_request(self, request, address):
        self.pool.submit(self.serve, request, address)

    def serve(self, request, address):
        try:
            self.finish_request(request, address)
        except ConnectionError:
            pass
        finally:
            self.shutdown_request(request)


Server(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
