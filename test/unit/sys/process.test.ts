import { describe, expect, it } from '@jest/globals';
import { runProcess } from '../../../src/sys/index.ts';

const node = (script: string, options?: Parameters<typeof runProcess>[2]) =>
  runProcess(process.execPath, ['-e', script], options);

describe('runProcess', () => {
  it('passes bytes through and gives both outputs and the status', async () => {
    const input = Buffer.from([0, 255, 10, 13]);
    const script = 'process.stdin.pipe(process.stdout); console.error("said"); process.exitCode = 3';
    const { status, stdout, stderr } = await node(script, { input });
    expect([status, stdout, stderr.toString()]).toEqual([3, input, 'said\n']);
  });

  it('uses no shell', async () => {
    const { stdout } = await runProcess('echo', ['$HOME; echo *']);
    expect(stdout.toString()).toBe('$HOME; echo *\n');
  });

  it('says which signal ended a program', async () => {
    expect(await node('process.kill(process.pid, "SIGTERM"); setInterval(() => {}, 1000)')).toMatchObject({
      status: undefined,
      signal: 'SIGTERM',
    });
  });

  it('lets a program leave its input unread', async () => {
    expect((await node('process.exit(0)', { input: Buffer.alloc(1 << 20) })).status).toBe(0);
  });

  it('stops a program that writes too much', async () => {
    const endless = node('const b = Buffer.alloc(65536); (function more() { process.stdout.write(b, more); })()', {
      maxOutputBytes: 1 << 20,
    });
    await expect(endless).rejects.toMatchObject({ code: 'io' });
  });

  it('ends a program that takes too long', async () => {
    const { isTimedOut, signal } = await node('setInterval(() => {}, 1000)', { timeoutMs: 50 });
    expect([isTimedOut, signal]).toEqual([true, 'SIGKILL']);
    expect((await node('', { timeoutMs: 60_000 })).isTimedOut).toBe(false);
  });

  it('fails when there is no such program', async () => {
    await expect(runProcess('/nonexistent/program', [])).rejects.toMatchObject({ code: 'path-not-found' });
  });
});
