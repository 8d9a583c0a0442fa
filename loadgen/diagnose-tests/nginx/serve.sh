#!/bin/sh
# nginx in front of VENDOR_PORT, on PORT: serve.sh CONNECTIONS 'DIRECTIVES'. `/health` is nginx's own.
set -eu

connections=$1 directives=$2
folder=$(mktemp -d)
cat >"$folder/nginx.conf" <<CONF
daemon off;
worker_processes 1;
pid $folder/pid;
error_log stderr;
events { worker_connections $connections; }
http {
    access_log off;
    client_body_temp_path $folder/body;
    proxy_temp_path $folder/proxy;
    fastcgi_temp_path $folder/fastcgi;
    uwsgi_temp_path $folder/uwsgi;
    scgi_temp_path $folder/scgi;
    server {
        listen 127.0.0.1:$PORT;
        location = /health { return 200 "ok"; }
        location /v1/ {
            proxy_pass http://127.0.0.1:$VENDOR_PORT;
            $directives
        }
    }
}
CONF
# In the place of the shell, so that its process is that of the server.
exec nginx -c "$folder/nginx.conf" -e stderr
