/**
 * Serving a repository over HTTP, read-only, for trying out and for a LAN.
 *
 * Only regular files below the repository directory are given out, never through a symlink, never dot files, locks or
 * anything in tmp/ and state/; keyrings, cookies and the like at the top are not a mirror's business and are refused too.
 *
 * Source: RFC 9110 (8.8.3 ETag, 13.1.2 If-None-Match, 14 ranges); ostree-format 12 (HTTP layout).
 */
import * as fs from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { HacktreeError, wrapSystemError } from '../core/index.ts';
import type { Repo } from '../repo/index.ts';

export interface ServeOptions {
  /** `HOST:PORT`, `[V6]:PORT`; port 0 takes a free one. Default `127.0.0.1:8080`. */
  readonly listen?: string;
  /** Is told of each request when it has been answered. */
  readonly onRequest?: (request: { readonly method: string; readonly path: string; readonly status: number }) => void;
}

export interface RunningServer {
  readonly url: string;
  close(): Promise<void>;
}

/** What a mirror consists of: files at the top, and folders. */
const TOP_FILES = new Set(['config', 'summary', 'summary.sig']);
const FOLDERS = new Set(['objects', 'refs', 'deltas', 'delta-indexes', 'extensions']);
/** Folders whose files never change under their name. */
const IMMUTABLE = /^(objects\/.*\.(filez|dirtree|dirmeta|commit)|deltas\/.*|extensions\/.*\.idx)$/;
const IDLE_TIMEOUT_MS = 30_000;

/** Starts serving; resolves when requests are taken. Errors: `usage` (bad address), `permission`, `io` (address in use). */
export async function serveRepo(repo: Repo, options: ServeOptions = {}): Promise<RunningServer> {
  const { host, port } = parseListen(options.listen ?? '127.0.0.1:8080');
  const server = createServer({ keepAliveTimeout: IDLE_TIMEOUT_MS }, (request, response) => {
    response.on('finish', () =>
      options.onRequest?.({ method: request.method ?? '', path: request.url ?? '', status: response.statusCode }),
    );
    try {
      answer(repo, request, response);
    } catch {
      if (!response.headersSent) response.writeHead(500);
      response.end();
    }
  });
  await listen(server, host, port);
  const address = server.address();
  const actualPort = typeof address === 'object' && address !== null ? address.port : port;
  return { url: `http://${host.includes(':') ? `[${host}]` : host}:${actualPort}`, close: () => closeServer(server) };
}

function parseListen(text: string): { host: string; port: number } {
  const match = /^(?:\[([0-9a-fA-F:]+)\]|([^:]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match !== null && port < 65_536) return { host: match[1] ?? match[2] ?? '', port };
  throw new HacktreeError('usage', `Invalid address '${text}', expected HOST:PORT`, {
    details: { expected: 'HOST:PORT', found: text },
  });
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(wrapSystemError(error, 'Listening on', `${host}:${port}`)));
    server.listen(port, host, resolve);
  });
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

function answer(repo: Repo, request: IncomingMessage, response: ServerResponse): void {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.writeHead(405, { allow: 'GET, HEAD', 'content-length': 0 }).end();
    return;
  }
  const path = servedPath(request.url ?? '/');
  const fd = path === undefined ? undefined : openBelow(repo.path, path);
  if (fd === undefined || path === undefined) {
    response.writeHead(404, { 'content-type': 'text/plain', 'content-length': 10 }).end('not found\n');
    return;
  }
  sendFile(fd, path, request, response);
}

/** The path below the repository that a request names; undefined when it is not for others to see. */
function servedPath(url: string): string | undefined {
  let path: string;
  try {
    path = decodeURIComponent(url.split('?')[0] ?? '').replace(/^\/+/, '');
  } catch {
    return undefined;
  }
  const names = path.split('/');
  const isPlain = names.every((name) => name !== '' && !name.startsWith('.') && !name.includes('\0'));
  if (!isPlain) return undefined;
  return names.length === 1 ? (TOP_FILES.has(path) ? path : undefined) : FOLDERS.has(names[0] ?? '') ? path : undefined;
}

/** Opens a regular file; every component is looked at without following links. */
function openBelow(root: string, path: string): number | undefined {
  const names = path.split('/');
  for (let i = 1; i < names.length; i++) {
    const stat = fs.lstatSync(join(root, ...names.slice(0, i)), { throwIfNoEntry: false });
    if (stat?.isDirectory() !== true) return undefined;
  }
  let fd: number;
  try {
    fd = fs.openSync(join(root, path), fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
  if (fs.fstatSync(fd).isFile()) return fd;
  fs.closeSync(fd);
  return undefined;
}

function sendFile(fd: number, path: string, request: IncomingMessage, response: ServerResponse): void {
  const stat = fs.fstatSync(fd);
  const etag = `"${stat.mtimeMs.toString(16)}-${stat.size.toString(16)}-${stat.ino.toString(16)}"`;
  const headers = {
    etag,
    'last-modified': stat.mtime.toUTCString(),
    'accept-ranges': 'bytes',
    'cache-control': IMMUTABLE.test(path) ? 'public, max-age=31536000, immutable' : 'no-cache',
    'content-type': 'application/octet-stream',
    'x-content-type-options': 'nosniff',
  };
  const known = request.headers['if-none-match'];
  if (known?.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag || tag.trim() === '*')) {
    fs.closeSync(fd);
    response.writeHead(304, headers).end();
    return;
  }
  const range = parseRange(request, etag, stat.size);
  if (range === 'unsatisfiable') {
    fs.closeSync(fd);
    response.writeHead(416, { 'content-range': `bytes */${stat.size}`, 'content-length': 0 }).end();
    return;
  }
  const [start, end] = range ?? [0, stat.size - 1];
  const partial = range === undefined ? {} : { 'content-range': `bytes ${start}-${end}/${stat.size}` };
  response.writeHead(range === undefined ? 200 : 206, { ...headers, ...partial, 'content-length': end - start + 1 });
  if (request.method === 'HEAD' || end < start) {
    fs.closeSync(fd);
    response.end();
    return;
  }
  const stream = fs.createReadStream('', { fd, start, end });
  stream.on('error', () => response.destroy());
  response.on('close', () => stream.destroy());
  stream.pipe(response);
}

/** One range; several, or none that is understood, mean the whole file. */
function parseRange(
  request: IncomingMessage,
  etag: string,
  size: number,
): readonly [number, number] | 'unsatisfiable' | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(request.headers.range ?? '');
  const condition = request.headers['if-range'];
  if (match === null || (match[1] === '' && match[2] === '') || (condition !== undefined && condition !== etag)) return undefined;
  if (match[1] === '') {
    const length = Math.min(size, Number(match[2]));
    return length === 0 ? 'unsatisfiable' : [size - length, size - 1];
  }
  const start = Number(match[1]);
  const end = match[2] === '' ? size - 1 : Math.min(size - 1, Number(match[2]));
  if (start >= size) return 'unsatisfiable';
  return end < start ? undefined : [start, end];
}
