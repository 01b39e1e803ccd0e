/**
 * Carries out the steps of a plan, one by one, and nothing else: what and in which order was decided by the plan.
 *
 * Why the order matters: a boot loader reads ext4 and XFS without their journals. A rename that is atomic for Linux is
 * seen by GRUB as a directory block that may still name the old inode after that inode was freed. So everything new is
 * settled first, the old file keeps a second name until the rename is settled as well, and only then is it removed.
 * docs/crash-tests.md has the measurements.
 */
import * as fs from 'node:fs';
import { utf8, wrapSystemError } from '../core/index.ts';
import {
  removeFileDurable,
  setImmutable,
  settleFileSystem,
  syncFileSystem,
  writeFileDurable,
  writeFully,
  writeInPlace,
} from '../sys/index.ts';
import { editGrubenv } from './grubenv.ts';
import type { ApplyReport, BootPlan, BootStep } from './types.ts';

/** Runs a plan to its end. Errors: those of the first step that fails; the message names it. */
export async function applyBootPlan(plan: BootPlan, options: { onStep?: (step: BootStep) => void } = {}): Promise<ApplyReport> {
  const notFrozen: string[] = [];
  for (const step of plan.steps) {
    options.onStep?.(step);
    notFrozen.push(...(await applyBootStep(step)).notFrozen);
  }
  return { notFrozen: [...new Set(notFrozen)] };
}

/** Runs one step. Errors: `no-space`, `read-only`, `permission`, `io`, `format-invalid` (a damaged grubenv). */
export async function applyBootStep(step: BootStep): Promise<ApplyReport> {
  try {
    if (step.kind === 'settle') return { notFrozen: await settleAll(step.paths) };
    applyNow(step);
    return { notFrozen: [] };
  } catch (error) {
    throw wrapSystemError(error, `Cannot ${step.title}:`, step.kind === 'settle' ? step.paths[0] : pathOf(step));
  }
}

type ImmediateStep = Exclude<BootStep, { kind: 'settle' }>;

const pathOf = (step: ImmediateStep): string => (step.kind === 'rename' ? step.to : step.path);

function applyNow(step: ImmediateStep): void {
  switch (step.kind) {
    case 'make-dir':
      fs.mkdirSync(step.path, { recursive: true });
      return;
    case 'write-new':
      return writeFileDurable(step.path, utf8(step.text), { mode: step.mode, sync: false });
    case 'keep-old':
      if (fs.existsSync(step.path)) fs.linkSync(step.path, step.keep);
      return;
    case 'rename':
      return fs.renameSync(step.from, step.to);
    case 'set-grubenv':
      writeInPlace(step.path, editGrubenv(fs.readFileSync(step.path), step.set));
      // btrfs puts the new block elsewhere and notes it in a log that GRUB does not read.
      return syncFileSystem(step.path);
    case 'set-efi-variable':
      return setEfiVariable(step.path, step.value);
    case 'remove':
      return removeFileDurable(step.path);
  }
}

/** Settles each file system once. */
async function settleAll(paths: readonly string[]): Promise<string[]> {
  const notFrozen: string[] = [];
  const seen = new Set<number>();
  for (const path of paths) {
    const device = fs.statSync(path).dev;
    if (seen.has(device)) continue;
    seen.add(device);
    if ((await settleFileSystem(path)) === 'freeze-refused') notFrozen.push(path);
  }
  return notFrozen;
}

/** Non-volatile, visible to boot services and at run time. Source: UEFI 2.10, 8.2; efivarfs puts it before the value. */
const EFI_ATTRIBUTES = 7;

function setEfiVariable(path: string, value: string | undefined): void {
  if (fs.existsSync(path)) {
    const fd = fs.openSync(path, 'r');
    try {
      setImmutable(fd, false); // efivarfs protects what the kernel does not know
    } finally {
      fs.closeSync(fd);
    }
    fs.unlinkSync(path);
  }
  if (value === undefined) return;
  const text = Buffer.from(`${value}\0`, 'utf16le');
  const bytes = Buffer.alloc(4 + text.length);
  bytes.writeUInt32LE(EFI_ATTRIBUTES, 0);
  text.copy(bytes, 4);
  const fd = fs.openSync(path, 'w', 0o644); // efivarfs takes a value in one write
  try {
    writeFully(fd, bytes);
  } finally {
    fs.closeSync(fd);
  }
}
