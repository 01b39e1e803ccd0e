/** The network as administrators make it: passwords, certificates, proxies, lists of mirrors; with the real nginx. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { sha256 } from '../../src/core/index.ts';
import { Fetcher } from '../../src/remote/net/fetcher.ts';
import { type Misbehave, startHostileServer } from '../helpers/hostile-server.ts';
import { freePort, type Nginx, startNginx } from '../helpers/nginx.ts';
import { startProxy, type TestProxy } from '../helpers/proxy.ts';
import { hacktreeMeanwhile, hacktreeOk, type RunResult, requireTool, runOk } from '../helpers/run.ts';
import { keptScratchDir, scratchDir } from '../helpers/scratch.ts';
import { noise } from '../helpers/trees.ts';

const isReady = requireTool('nginx', 'openssl');
const withTools = isReady ? it : it.skip;

let dir: string;
let mirror: string;
let work: string;
let repo: string;
let nginx: Nginx | undefined;
let proxy: TestProxy | undefined;

beforeAll(() => {
  if (!isReady) return;
  dir = keptScratchDir();
  mirror = join(dir, 'mirror');
  fs.mkdirSync(join(dir, 'tree'));
  for (const name of ['a', 'b', 'c']) fs.writeFileSync(join(dir, 'tree', name), `content of ${name}\n`);
  hacktreeOk([`--repo=${mirror}`, 'init', '--mode=archive']);
  hacktreeOk([`--repo=${mirror}`, 'commit', '--branch=main', join(dir, 'tree')]);
  hacktreeOk([`--repo=${mirror}`, 'summary', '-u']);
  const certificate = (name: string, subject: string, ...more: string[]): void => {
    const files = ['-keyout', join(dir, `${name}.key`), '-out', join(dir, `${name}.pem`)];
    runOk('openssl', [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-days',
      '2',
      '-subj',
      subject,
      ...files,
      ...more,
    ]);
  };
  certificate('server', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1');
  certificate('client', '/CN=client');
});

beforeEach(() => {
  work = scratchDir();
  repo = join(work, 'repo');
  hacktreeOk([`--repo=${repo}`, 'init', '--mode=bare-user']);
});

afterEach(async () => {
  await nginx?.stop();
  nginx = undefined;
  proxy?.stop();
  proxy = undefined;
});

const start = async (server = '', root = mirror): Promise<string> => {
  nginx = await startNginx(root, join(work, 'nginx'), server);
  return nginx.url;
};

const addRemote = (url: string, ...options: string[]): void =>
  void hacktreeOk([`--repo=${repo}`, 'remote', 'add', '--no-gpg-verify', ...options, 'm', url]);

/** Runs a pull without keeping this process from serving. */
function pull(env: Record<string, string> = {}, ...options: string[]): Promise<RunResult> {
  const retries = options.some((option) => option.startsWith('--network-retries')) ? [] : ['--network-retries=0'];
  const args = [`--repo=${repo}`, 'pull', '--progress=none', '--threads=1', ...retries, ...options, 'm', 'main'];
  return hacktreeMeanwhile(args, { HOME: work, ...env });
}

async function expectPulls(env: Record<string, string> = {}, ...options: string[]): Promise<void> {
  const { status, stderr } = await pull(env, ...options);
  expect([status, stderr]).toEqual([0, '']);
  const commit = (at: string, rev: string): string => hacktreeOk([`--repo=${at}`, 'rev-parse', rev]);
  expect(commit(repo, 'm:main')).toBe(commit(mirror, 'main'));
  hacktreeOk([`--repo=${repo}`, 'fsck', '--quiet']);
}

async function expectFails(message: RegExp, env: Record<string, string> = {}, ...options: string[]): Promise<void> {
  const { status, stderr } = await pull(env, ...options);
  expect(stderr).toMatch(message);
  expect(status).toBe(1);
  expect(hacktreeOk([`--repo=${repo}`, 'refs'])).toBe('');
}

describe('who asks', () => {
  const PASSWORD = 'location / { auth_basic "os"; auth_basic_user_file USERS; }';

  const startWithPassword = async (): Promise<string> => {
    fs.writeFileSync(join(work, 'users'), 'me:{PLAIN}p w\n');
    return start(PASSWORD.replace('USERS', join(work, 'users')));
  };

  withTools('a password from netrc', async () => {
    addRemote(await startWithPassword());
    await expectFails(/HTTP 401/);
    fs.writeFileSync(
      join(work, '.netrc'),
      'machine example.com login x password y\nmachine 127.0.0.1\n  login me\n  password "p w"\n',
    );
    await expectPulls();
  });

  withTools('a password from the file that NETRC names', async () => {
    addRemote(await startWithPassword());
    fs.writeFileSync(join(work, 'secrets'), 'default login me password "p w"');
    await expectPulls({ NETRC: join(work, 'secrets') });
  });

  withTools('a password in the URL', async () => {
    addRemote((await startWithPassword()).replace('//', '//me:p%20w@'));
    await expectPulls();
  });

  withTools('a bearer token, as a header', async () => {
    addRemote(await start('if ($http_authorization != "Bearer abc=") { return 401; }'));
    await expectFails(/HTTP 401/);
    await expectPulls({}, '--http-header=Authorization=Bearer abc=');
  });

  withTools('headers and a user agent', async () => {
    addRemote(
      await start(
        'if ($http_x_one != "1") { return 400; } if ($http_x_two != "2") { return 400; } if ($http_user_agent !~ "^hacktree/.* mine/1$") { return 400; }',
      ),
    );
    await expectFails(/HTTP 400/, {}, '--http-header=X-One=1');
    await expectPulls({}, '--http-header=X-One=1', '--http-header=X-Two=2', '--append-user-agent=mine/1');
  });

  withTools('a cookie', async () => {
    addRemote(await start('if ($cookie_session != "abc") { return 401; }'));
    await expectFails(/HTTP 401/);
    const cookie = (...args: string[]): string => hacktreeOk([`--repo=${repo}`, 'remote', ...args]);
    cookie('add-cookie', 'm', 'example.com', '/', 'session', 'abc');
    await expectFails(/HTTP 401/);
    cookie('add-cookie', 'm', '127.0.0.1', '/', 'session', 'abc');
    expect(cookie('list-cookies', 'm')).toContain('Domain: 127.0.0.1\nPath: /\nName: session\n');
    await expectPulls();
  });
});

describe('TLS', () => {
  const startTls = async (more = ''): Promise<string> => {
    const port = await freePort();
    const files = `ssl_certificate ${join(dir, 'server.pem')}; ssl_certificate_key ${join(dir, 'server.key')};`;
    await start(`listen 127.0.0.1:${port} ssl http2; ${files} ${more}`);
    return `https://127.0.0.1:${port}`;
  };

  withTools('an authority of one’s own', async () => {
    const url = await startTls();
    addRemote(url);
    await expectFails(/self-signed certificate/);
    addRemote(url, '--force', `--set=tls-ca-path=${join(dir, 'client.pem')}`);
    await expectFails(/certificate/);
    addRemote(url, '--force', `--set=tls-ca-path=${join(dir, 'server.pem')}`);
    await expectPulls();
  });

  withTools('no authority at all', async () => {
    addRemote(await startTls(), '--set=tls-permissive=true');
    await expectPulls();
  });

  withTools('a certificate of the client', async () => {
    const url = await startTls(`ssl_verify_client on; ssl_client_certificate ${join(dir, 'client.pem')};`);
    const ca = `--set=tls-ca-path=${join(dir, 'server.pem')}`;
    addRemote(url, ca);
    await expectFails(/HTTP 400/);
    const own = (name: string): string[] => [
      `--set=tls-client-cert-path=${join(dir, `${name}.pem`)}`,
      `--set=tls-client-key-path=${join(dir, `${name}.key`)}`,
    ];
    addRemote(url, '--force', ca, ...own('server'));
    await expectFails(/HTTP 400/);
    addRemote(url, '--force', ca, ...own('client'));
    await expectPulls();
  });

  withTools('HTTP/2', async () => {
    const url = await startTls('if ($server_protocol != "HTTP/2.0") { return 426; }');
    const ca = `--set=tls-ca-path=${join(dir, 'server.pem')}`;
    addRemote(url, ca, '--set=http2=false');
    await expectFails(/HTTP 426/);
    addRemote(url, '--force', ca, '--set=http2=true');
    await expectPulls();
  });
});

describe('places', () => {
  withTools('a list of mirrors, of which the first is gone', async () => {
    const gone = await freePort();
    const url = await start('', dir);
    fs.writeFileSync(join(dir, 'list'), `# mirrors\nhttp://127.0.0.1:${gone}/\n${url}/mirror\n`);
    addRemote(`mirrorlist=${url}/list`);
    await expectPulls({}, '--network-retries=2');
    addRemote(`mirrorlist=${url}/no-list`, '--force');
    expect((await pull()).stderr).toMatch(/no-list/);
  });

  withTools('a metalink', async () => {
    const url = await start('', dir);
    const summary = fs.readFileSync(join(mirror, 'summary'));
    const metalink = (digest: string): string => `<?xml version="1.0" encoding="UTF-8"?>
<metalink version="3.0" xmlns="http://www.metalinker.org/"><files><file name="summary"><size>${summary.length}</size>
<verification><hash type="md5">00</hash><hash type="sha256">${digest}</hash></verification>
<resources><url protocol="http" type="http">${url}/tree/summary</url><url protocol="http">${url}/mirror/summary</url></resources>
</file></files></metalink>`;
    fs.writeFileSync(join(dir, 'metalink'), metalink('0'.repeat(64)));
    addRemote(`metalink=${url}/metalink`);
    await expectFails(/no mirror has the summary/);
    fs.writeFileSync(join(dir, 'metalink'), metalink(sha256(summary).toString('hex')));
    await expectPulls();
  });

  withTools('file objects from elsewhere', async () => {
    const url = await start(`location /meta/ { alias ${mirror}/; } location /content/ { alias ${mirror}/; }`);
    addRemote(`${url}/meta`, `--contenturl=${url}/content`);
    await expectPulls();
    const paths = nginx?.requests().map(({ path }) => path) ?? [];
    expect(paths.filter((path) => path.endsWith('.filez')).map((path) => path.slice(0, 9))).toEqual(Array(3).fill('/content/'));
    expect(paths.filter((path) => path.endsWith('.commit')).map((path) => path.slice(0, 6))).toEqual(['/meta/']);
  });

  withTools('another URL for once', async () => {
    addRemote('http://127.0.0.1:1/');
    await expectFails(/127\.0\.0\.1:1/);
    await expectPulls({}, `--url=${await start()}`);
  });
});

describe('a proxy', () => {
  withTools.each([
    ['of the remote', 'remote'],
    ['of the environment', 'environment'],
  ])('%s', async (_, from) => {
    const url = await start();
    proxy = await startProxy();
    const { url: via, asked } = proxy;
    addRemote(url, ...(from === 'remote' ? [`--set=proxy=${via}`] : []));
    await expectPulls(from === 'remote' ? {} : { http_proxy: via });
    expect(asked.length).toBeGreaterThan(0);
    expect(new Set(asked)).toEqual(new Set([url.replace('http://', '')]));
  });

  withTools('that is not for this host', async () => {
    proxy = await startProxy();
    const { url: via, asked } = proxy;
    addRemote(await start());
    await expectPulls({ http_proxy: via, no_proxy: 'localhost,127.0.0.1' });
    expect(asked).toEqual([]);
  });
});

describe('a large file that arrived in part', () => {
  const FILE = noise(3_000_000, 'part');

  /** Fetches a file of which so many bytes are there; returns how many came. */
  async function fetchRest(present: number, misbehave: Misbehave): Promise<number> {
    const root = scratchDir();
    fs.writeFileSync(join(root, 'file'), FILE);
    const server = await startHostileServer(root);
    server.misbehave = misbehave;
    const fetcher = new Fetcher({ baseUrls: [server.url], userAgent: 'test', backoffMs: 1 });
    const file = join(work, 'part');
    fs.writeFileSync(file, FILE.subarray(0, present));
    try {
      const got = await fetcher.fetchOrSpill('file', {
        kind: 'content',
        room: () => Buffer.alloc(1 << 20),
        limitBytes: 1e9,
        file,
      });
      expect(got).toMatchObject({ bytes: undefined });
      expect(fs.readFileSync(file).equals(FILE)).toBe(true);
      return fetcher.transferredBytes;
    } finally {
      await fetcher.close();
      await server.stop();
    }
  }

  it('is continued, also after an error that has a body', async () => {
    const busyOnce: Misbehave = ({ times }, response) => times === 0 && response.writeHead(503).end('later') !== undefined;
    expect(await fetchRest(2_000_000, () => false)).toBe(1_000_000);
    expect(await fetchRest(2_000_000, busyOnce)).toBe(1_000_000 + 'later'.length);
  });

  it('is not asked for again when all of it is there', async () => {
    const noMore: Misbehave = ({ headers }, response) => {
      expect(headers.range).toBe(`bytes=${FILE.length}-`);
      response.writeHead(416, { 'content-range': `bytes */${FILE.length}` }).end();
      return true;
    };
    expect(await fetchRest(FILE.length, noMore)).toBe(0);
  });

  it('is fetched anew when it cannot be a part of it', async () => {
    const shorter: Misbehave = ({ headers }, response) => {
      if (headers.range === undefined) return false;
      response.writeHead(416, { 'content-range': `bytes */${FILE.length - 1}` }).end();
      return true;
    };
    expect(await fetchRest(FILE.length, shorter)).toBe(FILE.length);
  });
});
