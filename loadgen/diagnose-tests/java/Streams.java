// The JDK's own HTTP server: Streams.java THREADS, where each thread serves one request from its first byte to its last;
// `unbounded` is a thread for each request. With `signed` after it each event is signed, which takes the processor some
// milliseconds.

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.security.GeneralSecurityException;
import java.util.List;
import java.util.concurrent.Executors;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;

public class Streams {
    static final int EVENTS = 20;
    static final int GAP_MS = 200;

    public static void main(String[] args) throws IOException {
        var signs = List.of(args).contains("signed");
        var address = new InetSocketAddress("127.0.0.1", Integer.parseInt(System.getenv("PORT")));
        var server = HttpServer.create(address, 0);
        server.createContext("/stream", exchange -> stream(exchange, signs));
        server.createContext("/health", exchange -> {
            exchange.sendResponseHeaders(200, -1);
            exchange.close();
        });
        server.setExecutor(args[0].equals("unbounded")
            ? Executors.newCachedThreadPool()
            : Executors.newFixedThreadPool(Integer.parseInt(args[0])));
        server.start();
    }

    static void stream(HttpExchange exchange, boolean signs) throws IOException {
        try (exchange) {
            exchange.getRequestBody().readAllBytes();
            exchange.getResponseHeaders().set("Content-Type", "text/event-stream");
            exchange.sendResponseHeaders(200, 0);
            for (var number = 0; number < EVENTS; number++) {
                var text = "token " + number + (signs ? signature(number) : "");
                exchange.getResponseBody().write(("data: " + text + "\n\n").getBytes());
                exchange.getResponseBody().flush();
                Thread.sleep(GAP_MS);
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        } catch (GeneralSecurityException missing) {
            throw new IOException(missing);
        }
    }

    static int signature(int number) throws GeneralSecurityException {
        var keys = SecretKeyFactory.getInstance("PBKDF2WithHmacSHA256");
        var spec = new PBEKeySpec("key".toCharArray(), ("token " + number).getBytes(), 60_000, 256);
        return keys.generateSecret(spec).hashCode();
    }
}
