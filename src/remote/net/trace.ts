/**
 * Shows HTTP traffic to people who look for a fault: `>` what is asked, `<` what comes back, `*` what goes wrong.
 *
 * Each message is one write, so that those of several threads do not mix. Secrets are left out: the text may end in a log.
 */
import * as fs from 'node:fs';

type Headers = Readonly<Record<string, string | string[] | undefined>>;

const SECRET_HEADERS = ['authorization', 'cookie', 'set-cookie', 'proxy-authorization'];

export class Trace {
  readonly #fd: number;

  constructor(fd: number) {
    this.#fd = fd;
  }

  request(url: URL, headers: Headers): void {
    this.#write('>', [`GET ${url.pathname}${url.search} HTTP/1.1`, `host: ${url.host}`, ...headerLines(headers), '']);
  }

  /** A response of several requests under way says which it belongs to. */
  response(url: URL, status: string, headers: Headers): void {
    this.#write('*', [`Answer to ${url.href}`]);
    this.#write('<', [`HTTP/1.1 ${status.trimEnd()}`, ...headerLines(headers), '']);
  }

  failure(url: URL, error: Error): void {
    this.#write('*', [`${url.href}: ${error.message}`]);
  }

  #write(sign: string, lines: readonly string[]): void {
    try {
      fs.writeSync(this.#fd, lines.map((line) => `${sign} ${line}\n`).join(''));
    } catch {
      // Nobody reads it: what is shown is not worth a failure.
    }
  }
}

function headerLines(headers: Headers): string[] {
  return Object.entries(headers).map(([name, value]) => {
    const isSecret = SECRET_HEADERS.includes(name.toLowerCase());
    return `${name}: ${isSecret ? '(hidden)' : [value].flat().join(', ')}`;
  });
}
