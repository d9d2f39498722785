"""The proxies: how each is told to do the same work with one worker.

Every one ends TLS with the same certificate, keeps connections to the same upstream
alive and logs each request to a file; gatebook, and nginx with Lua, keep the whole
book in Redis instead.
"""
import os
import socket

from .machine import PROXY_CPU, free_port, listens


class Contender:
    name = ""
    environment = {}
    book = False  # keeps the visitors' book in Redis

    def __init__(self, machine, services):
        self.machine, self.services = machine, services
        self.port = free_port()

    def command(self):
        raise NotImplementedError

    def start(self):
        self.running = self.machine.start(self.name, self.command(), PROXY_CPU, listens(self.port), self.environment)
        return self.running

    def is_settled(self):
        """Whether all work for past requests is done."""
        return True


class Nginx(Contender):
    name = "nginx"
    modules = ()
    http, location, log = "", "", "combined buffer=64k"

    def command(self):
        place, services = self.machine.path, self.services
        scratch = "\n".join(f"{kind}_temp_path {place(self.name + '.' + kind)};"
                            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        log = f"{place(self.name + '.access')} {self.log}" if self.log else "off"
        conf = self.machine.write(f"{self.name}.conf", f"""
{''.join(f'load_module /usr/lib/nginx/modules/{module}.so;' for module in self.modules)}
daemon off; worker_processes 1; pid {place(self.name + '.pid')}; error_log stderr warn;
worker_rlimit_nofile 30000; events {{ worker_connections 25000; }}
http {{
  {scratch}
  {self.http}
  access_log {log};
  keepalive_requests 1000000000; keepalive_timeout 600s;
  upstream service {{ server 127.0.0.1:{services.upstream_port}; keepalive 128; keepalive_requests 1000000000; }}
  server {{
    listen 127.0.0.1:{self.port} ssl http2 backlog=4096;
    ssl_certificate {services.chain}; ssl_certificate_key {services.key}; ssl_protocols TLSv1.2 TLSv1.3;
    location / {{
      proxy_pass http://service; proxy_http_version 1.1;
      proxy_set_header Connection ""; proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Request-ID $request_id;
      {self.location}
    }}
  }}
}}
""")
        return ["nginx", "-c", conf]


class NginxLua(Nginx):
    """What an operator would write today: cookie, place and record in Lua, batches into Redis."""
    name = "nginx+lua"
    book = True
    modules = ("ndk_http_module", "ngx_http_lua_module", "ngx_http_geoip2_module")
    log = ""

    def __init__(self, machine, services):
        super().__init__(machine, services)
        self.http = f"""
  lua_package_path "/usr/share/lua/5.1/?.lua;;";
  geoip2 {services.mmdb} {{ $place source=$remote_addr country_code; }}
  init_worker_by_lua_block {{
    local redis = require "nginx.redis"
    visits = {{}}
    ngx.timer.every(0.05, function()
      local batch = visits
      if #batch == 0 then return end
      visits = {{}}
      local link = redis:new()
      link:set_timeout(2000)
      local ok, problem = link:connect("unix:{services.redis_socket}")
      if not ok then ngx.log(ngx.ERR, problem) return end
      link:init_pipeline(2 * #batch)
      for _, visit in ipairs(batch) do
        local key = "visit:" .. visit.id
        link:hmset(key, "session", visit.session, "ip", visit.ip, "dns", visit.dns, "source", visit.source,
                   "country", visit.country, "time", visit.time, "path", visit.path, "agent", visit.agent)
        link:expire(key, 2592000)
      end
      link:commit_pipeline()
      link:set_keepalive(10000, 4)
    end)
  }}
"""
        self.location = """
      access_by_lua_block {
        local session = ngx.var.cookie_session
        if not session then
          session = ngx.encode_base64(ngx.hmac_sha1("a key", ngx.var.request_id))
          ngx.header["Set-Cookie"] = "session=" .. session .. "; Path=/; Secure; HttpOnly"
        end
        ngx.ctx.session = session
        ngx.req.set_header("X-Session-ID", session)
      }
      log_by_lua_block {
        local var = ngx.var
        visits[#visits + 1] = { id = var.request_id, session = ngx.ctx.session, ip = var.remote_addr, dns = "localhost",
          source = var.http_referer or "-", country = var.place or "-", time = ngx.now(), path = var.uri,
          agent = var.http_user_agent or "-" }
      }
"""


class Haproxy(Contender):
    name = "haproxy"

    def command(self):
        return ["haproxy", "-db", "-f", self.machine.write("haproxy.cfg", f"""
global
  nbthread 1
  maxconn 9500
  log stdout format raw local0 info
defaults
  mode http
  log global
  option httplog
  timeout connect 5s
  timeout client 600s
  timeout server 600s
  http-reuse always
frontend edge
  bind 127.0.0.1:{self.port} ssl crt {self.services.chain_and_key} alpn h2,http/1.1
  option forwardfor
  default_backend service
backend service
  server one 127.0.0.1:{self.services.upstream_port}
""")]


class Nghttpx(Contender):
    name = "nghttpx"

    def command(self):
        return ["nghttpx", "--conf=/dev/null", "--workers=1", "--single-process", "--add-x-forwarded-for",
                f"--frontend=127.0.0.1,{self.port}", f"--backend=127.0.0.1,{self.services.upstream_port}",
                "--backend-connections-per-host=128", "--frontend-read-timeout=600",
                f"--accesslog-file={self.machine.path('nghttpx.access')}", self.services.key, self.services.chain]


class H2o(Contender):
    name = "h2o"

    def command(self):
        user = "user: root" if os.geteuid() == 0 else ""
        return ["h2o", "-c", self.machine.write("h2o.yaml", f"""
num-threads: 1
max-connections: 9500
{user}
access-log: {self.machine.path('h2o.access')}
listen:
  host: 127.0.0.1
  port: {self.port}
  ssl:
    certificate-file: {self.services.chain}
    key-file: {self.services.key}
hosts:
  default:
    paths:
      /:
        proxy.reverse.url: "http://127.0.0.1:{self.services.upstream_port}/"
        proxy.timeout.keepalive: 600000
""")]


class Caddy(Contender):
    name = "caddy"
    # One core as for all; and nothing of it in anybody's home.
    environment = {"GOMAXPROCS": "1", "HOME": "/nonexistent"}

    def command(self):
        return ["caddy", "run", "--adapter", "caddyfile", "--config", self.machine.write("Caddyfile", f"""
{{
  admin off
  auto_https off
  storage file_system {self.machine.path('caddy')}
}}
https://localhost:{self.port}, https://127.0.0.1:{self.port} {{
  bind 127.0.0.1
  tls {self.services.chain} {self.services.key}
  log {{
    output file {self.machine.path('caddy.access')}
  }}
  reverse_proxy 127.0.0.1:{self.services.upstream_port} {{
    transport http {{
      keepalive_idle_conns_per_host 128
    }}
  }}
}}
""")]


class Gatebook(Contender):
    """Everything on: sessions, names, places, the book in Redis."""
    name = "gatebook"
    book = True
    binary = ""

    def __init__(self, machine, services):
        super().__init__(machine, services)
        self.admin = machine.path("admin.sock")

    def command(self):
        place, services = self.machine.path, self.services
        return [self.binary, "run", "-c", self.machine.write("gatebook.toml", f"""
[edge]
name = "compare"
workers = 1
[[listen]]
address = "127.0.0.1:{self.port}"
[[certificate]]
chain = "{services.chain}"
key = "{services.key}"
[[upstream]]
name = "service"
servers = ["127.0.0.1:{services.upstream_port}"]
[session]
key_file = "{place('session.key')}"
[redis]
url = "unix://{services.redis_socket}"
[journal]
directory = "{place('journal')}"
[retention]
ledger = "{place('retention.ledger')}"
[dns]
servers = ["127.0.0.1:{services.dns_port}"]
[geo]
databases = ["{services.mmdb}"]
[admin]
address = "unix:{self.admin}"
[timeouts]
keep_alive = "10m"
[limits]
connections = 9500
""")]

    def metrics(self):
        with socket.socket(socket.AF_UNIX) as link:
            link.settimeout(5)
            link.connect(self.admin)
            link.sendall(b"GET /metrics HTTP/1.1\r\nHost: admin\r\nConnection: close\r\n\r\n")
            answer = b""
            while piece := link.recv(65536):
                answer += piece
        rows = (line.rsplit(" ", 1) for line in answer.decode().splitlines() if line.startswith("gatebook_"))
        return {name: float(value) for name, value in rows}

    def is_settled(self):
        return self.metrics().get("gatebook_visits_in_journal", 0) == 0


ALL = (Gatebook, Nginx, Haproxy, Nghttpx, H2o, Caddy, NginxLua)
