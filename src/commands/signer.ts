/**
 * Signing while committing: from key options to a function that adds signatures to detached metadata.
 *
 * GnuPG is a program of its own, which holds the secret keys and asks for passphrases; the other kinds sign in process.
 */
import { spawn } from 'node:child_process';
import { HacktreeError } from '../core/index.ts';
import type { CommitOptions } from '../repo/index.ts';
import {
  addSignatures,
  type ProgramResult,
  parseEd25519SecretKey,
  parseSignType,
  type SignType,
  signDummy,
  signEd25519,
  signGpg,
  signSpki,
} from '../sign/index.ts';
import { readText } from './commit-request.ts';

export interface SigningRequest {
  readonly gpgKeys?: readonly string[];
  readonly gpgHomedir?: string | undefined;
  readonly keys?: readonly string[];
  readonly keyFiles?: readonly string[];
  /** Kind of `keys` and `keyFiles`; default ed25519. */
  readonly type?: string | undefined;
  /** Whether keys of kind `dummy` may be used. */
  readonly dummyEnabled: boolean;
}

export type Signer = NonNullable<CommitOptions['sign']>;
type Dict = Parameters<Signer>[1];

/** Makes the signing function; undefined when nothing is to be signed. Errors: `key-invalid`, `not-supported`. */
export function openSigner(request: SigningRequest): Signer | undefined {
  const { gpgKeys = [], keys = [], keyFiles = [], type } = request;
  const secrets = [...keys, ...keyFiles.flatMap((file) => keysOfFile(file, type))];
  if (gpgKeys.length === 0 && secrets.length === 0) return undefined;
  const kind = parseSignType(type);
  const signAll = secrets.map((secret) => signerOf(kind, secret, request));
  return async (bytes, detached) => {
    let dict: Dict = detached;
    for (const keyId of gpgKeys) {
      dict = addSignatures(dict, 'gpg', [await signGpg(runProgram, bytes, { keyId, homedir: request.gpgHomedir })]);
    }
    return signAll.length === 0
      ? dict
      : addSignatures(
          dict,
          kind,
          signAll.map((sign) => sign(bytes)),
        );
  };
}

/** A key for spki is a PEM file, for the others a line. */
function keysOfFile(file: string, type: string | undefined): string[] {
  const text = readText(file);
  return type === 'spki' ? [text] : text.split('\n').filter((line) => line !== '');
}

function signerOf(kind: SignType, secret: string, { dummyEnabled }: SigningRequest): (bytes: Uint8Array) => Uint8Array {
  if (kind === 'dummy') return () => signDummy(secret, { enabled: dummyEnabled });
  if (kind === 'spki') return (bytes) => signSpki(secret, bytes);
  const key = parseEd25519SecretKey(secret);
  return (bytes) => signEd25519(key, bytes);
}

function runProgram(program: string, args: readonly string[], input: Uint8Array): Promise<ProgramResult> {
  return new Promise((resolve, reject) => {
    // Its messages are read: they must be in English.
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, LC_ALL: 'C.UTF-8' } });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
    child.on('error', (cause) => {
      reject(new HacktreeError('not-supported', `Cannot run ${program}: ${cause.message}`, { hints: ['Install GnuPG.'], cause }));
    });
    child.on('close', (status) =>
      resolve({ status: status ?? undefined, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr) }),
    );
    // A program that ends without reading its input has said why.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
}
