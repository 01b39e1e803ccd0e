/**
 * One HTTP request at a time over kept-alive connections. The only file that imports undici.
 *
 * It neither retries nor follows redirects (fetcher.ts does): it asks, hands the body over as it arrives, and gives up when
 * the transfer stalls: fewer bytes than the limit over a whole window, however long the transfer takes in all. A window is a
 * number of looks at the connection, not a time: while this process is busy or stopped, nobody looks and no server is blamed.
 *
 * Source: RFC 9110, RFC 9112.
 */
import { Agent, type Dispatcher, EnvHttpProxyAgent, ProxyAgent } from 'undici';
import { HacktreeError } from '../../core/index.ts';
import type { FetcherInit } from './options.ts';
import { Trace } from './trace.ts';

export type ResponseHeaders = Readonly<Record<string, string | string[] | undefined>>;

export interface ResponseHead {
  readonly status: number;
  readonly headers: ResponseHeaders;
}

/** Takes a response. What it throws ends the transfer and comes out of get(). */
export interface Receiver {
  /** Says whether the body is wanted; without it the connection is used for the next request. */
  start(head: ResponseHead): void;
  data(chunk: Buffer): void;
}

interface Transfer {
  windowBytes: number;
  /** How often the window was looked at. */
  looks: number;
  readonly stop: (error: Error) => void;
}

const LOOKS_PER_WINDOW = 10;
const CONNECT_TIMEOUT_MS = 30_000;
const KEEP_ALIVE_MS = 30_000;

export class Transport {
  readonly #dispatcher: Dispatcher;
  readonly #transfers = new Set<Transfer>();
  readonly #minBytes: number;
  readonly #windowMs: number;
  readonly #userAgent: string;
  readonly #trace: Trace | undefined;
  #monitor: NodeJS.Timeout | undefined;

  constructor(init: FetcherInit) {
    this.#dispatcher = openDispatcher(init);
    this.#windowMs = init.lowSpeedTimeMs ?? 30_000;
    this.#minBytes = ((init.lowSpeedBytes ?? 1000) * this.#windowMs) / 1000;
    this.#userAgent = init.userAgent;
    this.#trace = init.traceFd === undefined ? undefined : new Trace(init.traceFd);
  }

  /** Requests a URL; resolves when the body is complete. Errors: those of the connection (with `code`), and the receiver's. */
  get(url: URL, headers: Record<string, string>, receiver: Receiver): Promise<ResponseHead> {
    return new Promise((resolve, reject) => {
      let head: ResponseHead | undefined;
      let transfer: Transfer | undefined;
      let failure: unknown;
      const guard = (controller: Dispatcher.DispatchController, step: () => void): void => {
        try {
          if (failure === undefined) step();
        } catch (error) {
          failure = error;
          controller.abort(error as Error);
        }
      };
      const end = (): void => {
        if (transfer !== undefined) this.#transfers.delete(transfer);
      };
      const options: Dispatcher.DispatchOptions = {
        origin: url.origin,
        path: `${url.pathname}${url.search}`,
        method: 'GET',
        headers: { 'user-agent': this.#userAgent, ...headers },
        headersTimeout: 0,
        bodyTimeout: 0,
      };
      this.#trace?.request(url, options.headers as Record<string, string>);
      this.#dispatcher.dispatch(options, {
        onRequestStart: (controller) => {
          transfer = this.#watch(controller);
        },
        onResponseStart: (controller, status, responseHeaders, statusText) => {
          this.#trace?.response(url, `${status} ${statusText ?? ''}`, responseHeaders);
          if (status < 200) return;
          head = { status, headers: responseHeaders };
          guard(controller, () => receiver.start({ status, headers: responseHeaders }));
        },
        onResponseData: (controller, chunk) => {
          if (transfer !== undefined) transfer.windowBytes += chunk.length;
          guard(controller, () => receiver.data(chunk));
        },
        onResponseEnd: () => {
          end();
          if (failure !== undefined || head === undefined) reject(failure ?? new Error('response without a head'));
          else resolve(head);
        },
        onResponseError: (_, error) => {
          this.#trace?.failure(url, error);
          end();
          reject(failure ?? error);
        },
      });
    });
  }

  /** Ends all connections. */
  async close(): Promise<void> {
    clearInterval(this.#monitor);
    await this.#dispatcher.destroy();
  }

  #watch(controller: Dispatcher.DispatchController): Transfer {
    const transfer: Transfer = { windowBytes: 0, looks: 0, stop: (error) => controller.abort(error) };
    this.#transfers.add(transfer);
    this.#monitor ??= setInterval(() => this.#look(), this.#windowMs / LOOKS_PER_WINDOW).unref();
    return transfer;
  }

  #look(): void {
    for (const transfer of this.#transfers) {
      transfer.looks++;
      if (transfer.looks < LOOKS_PER_WINDOW) continue;
      if (transfer.windowBytes < this.#minBytes) transfer.stop(stalled(transfer.windowBytes, this.#minBytes, this.#windowMs));
      transfer.windowBytes = 0;
      transfer.looks = 0;
    }
  }
}

function stalled(found: number, expected: number, windowMs: number): Error {
  const error = new Error(`stalled: ${found} bytes in ${windowMs / 1000} s, expected at least ${expected}`);
  return Object.assign(error, { code: 'STALLED' });
}

function openDispatcher(init: FetcherInit): Dispatcher {
  const { proxy, proxyEnvironment: env } = init;
  const tls = {
    ...(init.tlsCa === undefined ? {} : { ca: init.tlsCa }),
    ...(init.tlsClientCert === undefined ? {} : { cert: init.tlsClientCert }),
    ...(init.tlsClientKey === undefined ? {} : { key: init.tlsClientKey }),
    ...(init.tlsPermissive === true ? { rejectUnauthorized: false } : {}),
  };
  const common = {
    connections: init.connections ?? 4,
    pipelining: 1,
    allowH2: init.http2 === true,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connect: { timeout: CONNECT_TIMEOUT_MS, ...tls },
  };
  try {
    if (proxy !== undefined && proxy !== '') return new ProxyAgent({ ...common, uri: proxy, requestTls: tls });
    if (env?.http !== undefined || env?.https !== undefined) {
      return new EnvHttpProxyAgent({ ...common, httpProxy: env.http, httpsProxy: env.https, noProxy: env.no, requestTls: tls });
    }
    return new Agent(common);
  } catch (cause) {
    throw new HacktreeError('remote-config', `Invalid proxy or TLS setting: ${(cause as Error).message}`, { cause });
  }
}
