/**
 * A virtual machine on the serial line: QEMU in software emulation, waited for by markers, never by sleeping.
 *
 * KVM is never used: where /dev/kvm exists at all, it is not always one that boots an ordinary kernel. QEMU is started
 * through setpriv with a parent-death signal, so that no machine outlives a test that is killed.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Disk {
  readonly path: string;
  /** Throws writes away at the end. Default true. */
  readonly isDiscarded?: boolean;
  /** Passes flushes on to the disk of this machine. Default false: what a machine wrote counts as soon as QEMU has it. */
  readonly isFlushed?: boolean;
}

/** Kernel, initial RAM disk and command line given to QEMU itself, without a boot loader. */
export interface DirectBoot {
  readonly kernel: string;
  readonly initrd: string;
  readonly commandLine: string;
}

export interface VmOptions {
  readonly disk?: Disk;
  readonly secondDisk?: Disk;
  readonly firmware?: 'bios' | 'uefi';
  readonly directBoot?: DirectBoot;
  /** Lets the machine restart itself; else QEMU exits at a restart. */
  readonly canReboot?: boolean;
  readonly memoryMib?: number;
  /** A network card on QEMU's user network: this machine's loopback is 10.0.2.2 in the guest. */
  readonly hasNetwork?: boolean;
  /** File that keeps the EFI variables; a fresh one by default. */
  readonly efiVariables?: string;
}

/** Limit for any single boot, generous: other work on the machine slows emulation down by as much as it likes. */
export const BOOT_LIMIT_MS = 300_000;
/** Without what makes a system load modules that are of no use in emulation. */
const PROCESSOR = 'max,aes=off,pclmulqdq=off';
const OVMF_CODE = '/usr/share/OVMF/OVMF_CODE_4M.fd';
export const OVMF_VARIABLES = '/usr/share/OVMF/OVMF_VARS_4M.fd';
/** GRUB takes keys one at a time. */
const KEY_PAUSE_MS = 100;
// biome-ignore lint/suspicious/noControlCharactersInRegex: terminal escapes are what is looked for
const TERMINAL_ESCAPES = /\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][A-Z0-9]|\x1bc|\x0f|\x08|\r/g;

export const KEYS = { home: '\x1b[H', down: '\x1b[B', enter: '\r', escape: '\x1b' } as const;

const running = new Set<Vm>();

/** Stops every machine that is still running: for afterEach. */
export async function stopAllVms(): Promise<void> {
  await Promise.all([...running].map((vm) => vm.stop()));
}

/** Starts a machine. */
export function startVm(options: VmOptions): Vm {
  const vm = new Vm(options);
  running.add(vm);
  return vm;
}

export class Vm {
  readonly startedAt = performance.now();
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #dir = mkdtempSync(join(tmpdir(), 'hacktree-vm-'));
  readonly #exited: Promise<unknown>;
  #raw = '';
  /** Where the next search starts in the text. */
  #mark = 0;
  #hasExited = false;

  constructor(options: VmOptions) {
    const args = ['--pdeathsig', 'KILL', 'qemu-system-x86_64', ...qemuArguments(options, this.#dir)];
    this.#child = spawn('setpriv', args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#child.stdout.setEncoding('latin1');
    this.#child.stdout.on('data', (text: string) => {
      this.#raw += text;
    });
    this.#child.stdin.on('error', () => {}); // keys for a machine that has gone
    this.#exited = once(this.#child, 'close').then(() => {
      this.#hasExited = true;
    });
  }

  /** Everything the machine said, without terminal escapes. */
  get text(): string {
    return this.#raw.replace(TERMINAL_ESCAPES, '');
  }

  /** Seconds since the start. */
  get elapsedSec(): number {
    return (performance.now() - this.startedAt) / 1000;
  }

  /** Waits for text after what was found last. Fails with the end of the output when the limit is over or QEMU has exited. */
  async waitFor(pattern: RegExp, limitMs: number = BOOT_LIMIT_MS): Promise<RegExpExecArray> {
    const search = new RegExp(pattern, pattern.flags.replace('g', ''));
    const end = performance.now() + limitMs;
    for (;;) {
      const match = search.exec(this.text.slice(this.#mark));
      if (match !== null) {
        this.#mark += match.index + match[0].length;
        return match;
      }
      const left = end - performance.now();
      if (this.#hasExited || left <= 0) throw this.#failure(`did not say ${pattern}`);
      await this.#nextOutput(left);
    }
  }

  /** Waits until QEMU exits: power-off, or a restart that is not allowed. */
  async waitForExit(limitMs: number = BOOT_LIMIT_MS): Promise<void> {
    const timeout = new AbortController();
    const late = sleep(limitMs, 'late', { signal: timeout.signal }).catch(() => undefined);
    const first = await Promise.race([this.#exited, late]);
    timeout.abort();
    if (first === 'late') throw this.#failure('did not stop');
    running.delete(this);
    rmSync(this.#dir, { recursive: true, force: true });
  }

  send(text: string): void {
    this.#child.stdin.write(text);
  }

  /** Presses keys one after the other. */
  async press(...keys: readonly (keyof typeof KEYS)[]): Promise<void> {
    for (const key of keys) {
      this.send(KEYS[key]);
      await sleep(KEY_PAUSE_MS);
    }
  }

  /** Waits for GRUB's menu and chooses the n-th entry (from 0) with the cursor keys. */
  async chooseEntry(n: number): Promise<void> {
    await this.waitFor(/GNU GRUB/);
    await this.waitFor(/automatically in \d+s/);
    await this.press('home', ...Array.from({ length: n }, () => 'down' as const), 'enter');
  }

  /** Cuts the power. */
  async stop(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.waitForExit();
  }

  async #nextOutput(limitMs: number): Promise<void> {
    const abort = new AbortController();
    const { signal } = abort;
    await Promise.race([
      once(this.#child.stdout, 'data', { signal }).catch(() => undefined),
      sleep(limitMs, undefined, { signal }).catch(() => undefined),
      this.#exited,
    ]);
    abort.abort();
  }

  #failure(what: string): Error {
    return new Error(
      `The machine ${what} (${this.elapsedSec.toFixed(0)} s after its start). Its last output:\n${this.text.slice(-3000)}`,
    );
  }
}

function qemuArguments(options: VmOptions, dir: string): string[] {
  const { disk, secondDisk, directBoot, firmware = 'bios' } = options;
  const args = ['-accel', 'tcg', '-cpu', PROCESSOR, '-smp', '1', '-m', String(options.memoryMib ?? 1024)];
  args.push('-nodefaults', '-display', 'none', '-serial', 'stdio', '-rtc', 'base=utc', '-device', 'virtio-rng-pci');
  if (options.canReboot !== true) args.push('-no-reboot');
  if (options.hasNetwork === true) args.push('-nic', 'user,model=virtio-net-pci,ipv6=off');
  if (firmware === 'uefi') {
    const variables = options.efiVariables ?? join(dir, 'variables.fd');
    if (options.efiVariables === undefined) copyFileSync(OVMF_VARIABLES, variables);
    args.push('-machine', 'q35', '-drive', `if=pflash,format=raw,readonly=on,file=${OVMF_CODE}`);
    args.push('-drive', `if=pflash,format=raw,file=${variables}`);
  }
  for (const [i, one] of [disk, secondDisk].entries()) {
    if (one === undefined) continue;
    const cache = one.isFlushed === true ? 'writeback' : 'unsafe';
    const snapshot = one.isDiscarded === false ? 'off' : 'on';
    args.push('-drive', `file=${one.path},format=raw,if=none,id=disk${i},cache=${cache},snapshot=${snapshot}`);
    args.push('-device', `virtio-blk-pci,drive=disk${i},bootindex=${i + 1}`); // else UEFI asks the network first
  }
  if (directBoot !== undefined) {
    args.push('-kernel', directBoot.kernel, '-initrd', directBoot.initrd, '-append', directBoot.commandLine);
  }
  return args;
}
