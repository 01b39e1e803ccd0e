/**
 * What a fetcher needs to know, as plain data: it is sent to every worker thread, each of which opens its own connections.
 *
 * Nothing here is read from the environment or from a home directory: whoever calls brings proxies and credentials along.
 */
import type { Cookie } from './cookies.ts';

export interface Credentials {
  readonly host: string;
  readonly user: string;
  readonly password: string;
}

export interface FetcherInit {
  /** Where metadata is: base URLs in order of preference, http, https. Paths are appended. */
  readonly baseUrls: readonly string[];
  /** Where content objects are. Default: baseUrls. */
  readonly contentUrls?: readonly string[];
  readonly userAgent: string;
  /** Sent to the base URLs' hosts only, never to where these redirect. */
  readonly headers?: readonly (readonly [string, string])[];
  readonly bearerToken?: string;
  /** From a netrc file; credentials in a base URL come first. */
  readonly credentials?: readonly Credentials[];
  readonly cookies?: readonly Cookie[];
  /** Proxy for all requests; wins over proxyEnvironment. */
  readonly proxy?: string | undefined;
  /** Values of http_proxy, https_proxy and no_proxy. */
  readonly proxyEnvironment?: { readonly http?: string; readonly https?: string; readonly no?: string };
  readonly tlsPermissive?: boolean;
  /** PEM texts. */
  readonly tlsCa?: string;
  readonly tlsClientCert?: string;
  readonly tlsClientKey?: string;
  readonly http2?: boolean;
  /** Connections of each thread. */
  readonly connections?: number;
  /** How often a request is tried again. Default 5; 0 never. */
  readonly retries?: number;
  /** First pause before a retry; it doubles each time, with jitter, up to 30 s. Default 200. */
  readonly backoffMs?: number;
  /** A transfer below this many bytes per second over lowSpeedTimeMs is given up and tried again. Default 1000. */
  readonly lowSpeedBytes?: number;
  /** Default 30 000. */
  readonly lowSpeedTimeMs?: number;
  /** Requests and answers are written to this file descriptor, for people who look for a fault. */
  readonly traceFd?: number;
}
