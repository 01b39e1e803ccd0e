/** An HTTP proxy on the loopback that passes everything on, and remembers what it was asked for. */
import { createServer } from 'node:http';
import { connect } from 'node:net';

export interface TestProxy {
  readonly url: string;
  /** `HOST:PORT` of each tunnel. */
  readonly asked: string[];
  stop(): void;
}

/** Starts a proxy. All tunnels lead to `target` (`HOST:PORT`) where one is given, whatever they were asked to lead to. */
export async function startProxy(target?: string): Promise<TestProxy> {
  const asked: string[] = [];
  const server = createServer((_, response) => response.writeHead(501).end());
  server.on('connect', ({ url = '' }, socket) => {
    asked.push(url);
    const [host, port] = (target ?? url).split(':');
    const upstream = connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      upstream.pipe(socket).pipe(upstream);
    });
    upstream.on('error', () => socket.destroy());
    socket.on('error', () => upstream.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`,
    asked,
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
