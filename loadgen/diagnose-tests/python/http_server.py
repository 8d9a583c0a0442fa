"""Python's own HTTP server: a thread for each connection, or, with THREADS in the environment, so many threads in all."""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    protocol_version = os.environ.get("PROTOCOL", "HTTP/1.0")

    def do_GET(self):
        found = self.path == "/health"
        self.answer(200 if found else 404, b"ok" if found else b"not found")

    def do_POST(self):
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.close_connection = True
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        for number in range(20):
            time.sleep(0.2)
            self.wfile.write(f'data: {{"content": "token {number} "}}\n\n'.encode())

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class PooledServer(ThreadingHTTPServer):
    pool = ThreadPoolExecutor(int(os.environ.get("THREADS", "8")))

    def process_request(self, request, client_address):
        self.pool.submit(self.process_request_thread, request, client_address)


server = PooledServer if "THREADS" in os.environ else ThreadingHTTPServer
server.daemon_threads = True
server.request_queue_size = 128  # The default of 5 loses connections when some come at once.
server(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
