import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  checkGpg,
  hasKeyId,
  importKeys,
  keyUpdateUrls,
  listGpgKeys,
  parseUserId,
  printKeyListing,
  printKeyring,
  printVerdicts,
  readKeyring,
  requireGoodSignature,
  type SignatureVerdict,
  signGpg,
  zBase32,
} from '../../../src/sign/index.ts';
import * as fx from './fixtures.ts';

const at = (days: number): number => fx.MADE_SEC + days * fx.DAY_SEC;
const check = (signatures: Uint8Array[], keyring: Uint8Array[], days: number, signed = fx.SIGNED): Promise<SignatureVerdict[]> =>
  checkGpg(signed, signatures, { keys: keyring.flatMap(readKeyring), nowSec: at(days) });
const statuses = async (...args: Parameters<typeof check>): Promise<string[]> =>
  (await check(...args)).map(({ status }) => status);

describe('verification', () => {
  it('finds good signatures good, with all they say', async () => {
    expect(await check([fx.UNIT_SIGNATURE], [fx.UNIT], 1)).toEqual([
      {
        kind: 'gpg',
        status: 'good',
        keyId: fx.UNIT_FINGERPRINT.slice(-16),
        fingerprint: fx.UNIT_FINGERPRINT,
        primaryFingerprint: fx.UNIT_FINGERPRINT,
        keyAlgorithm: 'EdDSA',
        userName: 'Unit Key',
        userEmail: 'unit@example.com',
        createdSec: fx.MADE_SEC,
        expiresSec: undefined,
        keyExpiresSec: undefined,
        primaryKeyExpiresSec: undefined,
      },
    ]);
    const [bySubkey] = await check([fx.SHORT_SIGNATURE], [fx.SHORT], 1);
    expect(bySubkey).toMatchObject({
      status: 'good',
      fingerprint: fx.SHORT_SUBKEY_FINGERPRINT,
      primaryFingerprint: fx.SHORT_FINGERPRINT,
      // GnuPG lets a key that expires on a day expire at noon of it.
      keyExpiresSec: Date.UTC(2026, 6, 1, 12) / 1000,
      primaryKeyExpiresSec: Date.UTC(2027, 0, 1, 12) / 1000,
    });
  });

  it('knows expiry and revocation as of a time', async () => {
    expect(await statuses([fx.EXPIRING_SIGNATURE], [fx.UNIT], 9)).toEqual(['good']);
    expect(await statuses([fx.EXPIRING_SIGNATURE], [fx.UNIT], 11)).toEqual(['expired']);
    expect(await statuses([fx.SHORT_SIGNATURE], [fx.SHORT], 180)).toEqual(['good']);
    expect(await statuses([fx.SHORT_SIGNATURE], [fx.SHORT], 190)).toEqual(['key-expired']);
    expect(await statuses([fx.UNIT_SIGNATURE], [fx.UNIT_REVOKED], 1)).toEqual(['key-revoked']);
    expect(await statuses([fx.UNIT_SIGNATURE], [fx.UNIT], -1)).toEqual(['bad']);
  });

  it('lets a revocation in any keyring count', async () => {
    expect(await statuses([fx.UNIT_SIGNATURE], [fx.UNIT, fx.UNIT_REVOKED], 1)).toEqual(['key-revoked']);
    expect(await statuses([fx.UNIT_SIGNATURE], [fx.UNIT_REVOKED, fx.UNIT], 1)).toEqual(['key-revoked']);
  });

  it('judges each signature alone, also several in one element', async () => {
    const both = Buffer.concat([fx.EXPIRING_SIGNATURE, fx.UNIT_SIGNATURE]);
    expect(await statuses([fx.SHORT_SIGNATURE, both], [fx.UNIT], 20)).toEqual(['key-missing', 'expired', 'good']);
    expect(await check([], [fx.UNIT], 1)).toEqual([]);
  });

  it('never takes other bytes or a changed signature for good', async () => {
    expect(await statuses([fx.UNIT_SIGNATURE], [fx.UNIT], 1, Buffer.from('signed text'))).toEqual(['bad']);
    // Not signed: the packet's framing, the unhashed subpackets (issuer key ID), the bit counts of the two numbers.
    const isUnsigned = (index: number): boolean => index < 2 || (index > 36 && index < 49) || [51, 52, 85, 86].includes(index);
    for (let index = 0; index < fx.UNIT_SIGNATURE.length; index++) {
      for (const flip of [0x01, 0x55, 0x80]) {
        const changed = Buffer.from(fx.UNIT_SIGNATURE);
        changed[index] = (changed[index] ?? 0) ^ flip;
        const found = await statuses([changed], [fx.UNIT], 1);
        if (!isUnsigned(index)) expect({ index, flip, found }).not.toMatchObject({ found: expect.arrayContaining(['good']) });
      }
    }
  });

  it('turns what is no signature into a bad verdict', async () => {
    for (const bytes of [Buffer.alloc(0), Buffer.from('text'), fx.UNIT_SIGNATURE.subarray(0, 40), fx.UNIT]) {
      const verdicts = await check([bytes], [fx.UNIT], 1);
      expect(verdicts).toEqual([{ kind: 'gpg', status: 'bad', keyId: '', reason: 'the signature cannot be read' }]);
      expect(printVerdicts(verdicts, at(1))).toContain("Can't check signature: the signature cannot be read");
    }
  });
});

describe('text', () => {
  it('is the block that ostree prints', async () => {
    const verdicts = await check([fx.EXPIRING_SIGNATURE, fx.SHORT_SIGNATURE], [fx.UNIT, fx.SHORT], 5);
    expect(printVerdicts(verdicts, at(5))).toBe(
      [
        'Found 2 signatures:',
        '',
        '  Signature made Thu Jan \u20071 00:00:00 2026 using EdDSA key ID E80BE3A04CE5669C',
        '  Good signature from "Unit Key <unit@example.com>"',
        '  Signature expires Sun Jan 11 00:00:00 2026',
        '',
        '  Signature made Thu Jan \u20071 00:00:00 2026 using EdDSA key ID EB50C3F12D181603',
        '  Good signature from "Short Key <short@example.com>"',
        '  Primary key ID 3A847F99C96D8E11',
        '  Key expires Wed Jul \u20071 12:00:00 2026',
        '  Primary key expires Fri Jan \u20071 12:00:00 2027',
        '',
      ].join('\n'),
    );
    expect(printVerdicts(await check([fx.UNIT_SIGNATURE], [], 5), at(5))).toMatch(
      /^Found 1 signature:\n\n {2}Signature made .*\n {2}Can't check signature: public key not found\n$/,
    );
  });

  it('lets good signatures pass and names remote and key ID otherwise', async () => {
    const context = { what: 'Commit abc', remote: 'origin', nowSec: at(1) };
    const unknown = await check([fx.UNIT_SIGNATURE], [], 1);
    const good = await check([fx.UNIT_SIGNATURE], [fx.UNIT], 1);
    requireGoodSignature([...unknown, ...good], context);
    expect(() => requireGoodSignature([], context)).toThrow(expect.objectContaining({ code: 'signature-missing' }));
    expect(() => requireGoodSignature(unknown, context)).toThrow(
      expect.objectContaining({ code: 'signature-invalid', message: expect.stringMatching(/origin[\s\S]*E80BE3A04CE5669C/) }),
    );
  });

  it('lists keys', async () => {
    const listing = printKeyListing(await listGpgKeys(readKeyring(Buffer.concat([fx.UNIT_REVOKED, fx.SHORT])), at(190)));
    expect(listing.replace(/.*update URL.*\n/g, '')).toBe(
      [
        `Key: ${fx.UNIT_FINGERPRINT} (revoked)`,
        '  Created: Thu Jan \u20071 00:00:00 2026',
        '  UID: Unit Key <unit@example.com> (revoked)',
        `Key: ${fx.SHORT_FINGERPRINT}`,
        '  Created: Thu Jan \u20071 00:00:00 2026',
        '  Expires: Fri Jan \u20071 12:00:00 2027',
        '  UID: Short Key <short@example.com>',
        `  Subkey: ${fx.SHORT_SUBKEY_FINGERPRINT}`,
        '    Created: Thu Jan \u20071 00:00:00 2026',
        '    Expired: Wed Jul \u20071 12:00:00 2026',
        '',
      ].join('\n'),
    );
  });

  it('knows where updates of a key are published', () => {
    // The example of draft-koch-openpgp-webkey-service 3.1.
    const hash = 'iy9q119eutrkn8s1mk4r39qejnbu3n5q';
    expect(keyUpdateUrls('Joe.Doe@Example.ORG')).toEqual({
      advanced: `https://openpgpkey.example.org/.well-known/openpgpkey/example.org/hu/${hash}?l=joe.doe`,
      direct: `https://example.org/.well-known/openpgpkey/hu/${hash}?l=joe.doe`,
    });
    expect(keyUpdateUrls('nobody')).toBeUndefined();
    expect(zBase32(Buffer.from([0xf0, 0xbf, 0xc7]))).toBe('6n9hq');
  });

  it('splits user IDs', () => {
    expect(parseUserId('A B (work) <a@b.c>')).toEqual({ name: 'A B', email: 'a@b.c' });
    expect(parseUserId('a@b.c')).toEqual({ name: '', email: 'a@b.c' });
    expect(parseUserId('Just a name')).toEqual({ name: 'Just a name', email: undefined });
  });
});

describe('keyrings', () => {
  it('are the same armoured and binary', () => {
    expect(printKeyring(readKeyring(Buffer.from(fx.UNIT_ARMOURED)))).toEqual(fx.UNIT);
    const twice = readKeyring(Buffer.from(`some text\n${fx.UNIT_ARMOURED}\n${fx.UNIT_ARMOURED.replaceAll('\n', '\r\n')}`));
    expect(printKeyring(twice)).toEqual(Buffer.concat([fx.UNIT, fx.UNIT]));
    expect(readKeyring(Buffer.alloc(0))).toEqual([]);
  });

  it('are read without the trust packets that GnuPG puts in', () => {
    const trust = Buffer.from('b006000000000000', 'hex');
    expect(printKeyring(readKeyring(Buffer.concat([fx.UNIT, trust, fx.SHORT, trust])))).toEqual(
      Buffer.concat([fx.UNIT, fx.SHORT]),
    );
  });

  it('count new keys only, and take in new signatures of old ones', () => {
    const [unit, short] = [fx.UNIT, fx.SHORT].map(readKeyring) as [never, never];
    const first = importKeys([], unit);
    const second = importKeys(first.blocks, readKeyring(Buffer.concat([fx.UNIT_REVOKED, fx.SHORT])));
    expect([first.imported, second.imported, importKeys(second.blocks, short).imported]).toEqual([1, 1, 0]);
    expect(printKeyring(second.blocks).length).toBe(fx.UNIT_REVOKED.length + fx.SHORT.length);
    expect(printKeyring(importKeys(second.blocks, unit).blocks)).toEqual(printKeyring(second.blocks));
  });

  it('choose by key ID, fingerprint or address', () => {
    const all = readKeyring(Buffer.concat([fx.UNIT, fx.SHORT]));
    const { fingerprint } = all[1] as { fingerprint: string };
    expect(fingerprint).toBe(fx.SHORT_FINGERPRINT);
    for (const id of [
      fingerprint,
      fingerprint.slice(-8),
      `0x${fingerprint.slice(-16)}`,
      'SHORT@example.com',
      '<short@example.com>',
    ]) {
      expect(all.map((block) => hasKeyId(block, id))).toEqual([false, true]);
    }
    expect(hasKeyId(all[1] as never, fx.SHORT_SUBKEY_FINGERPRINT.toLowerCase())).toBe(true);
    expect(importKeys([], all, [fingerprint]).blocks).toEqual([all[1]]);
    expect(() => importKeys([], all, ['DEADBEEF'])).toThrow(expect.objectContaining({ code: 'key-invalid' }));
    expect(() => importKeys([], [])).toThrow(expect.objectContaining({ code: 'key-invalid' }));
  });

  it('fail clearly on bytes that are no keyring', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 200 }), fc.nat(fx.UNIT.length), (noise, cut) => {
        for (const bytes of [noise, Buffer.concat([fx.UNIT.subarray(0, cut), noise])]) {
          try {
            readKeyring(bytes);
          } catch (error) {
            if ((error as { code?: string }).code !== 'key-invalid') throw error;
          }
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('signing', () => {
  it('asks gpg, and passes on what it says when it refuses', async () => {
    const calls: (readonly string[])[] = [];
    const run = (result: { status: number; stdout: string; stderr: string }) => (program: string, args: readonly string[]) => {
      calls.push([program, ...args]);
      return Promise.resolve({ ...result, stdout: Buffer.from(result.stdout), stderr: Buffer.from(result.stderr) });
    };
    const good = run({ status: 0, stdout: 'signature', stderr: '' });
    expect(await signGpg(good, fx.SIGNED, { keyId: 'ABCD', homedir: '/h' })).toEqual(Buffer.from('signature'));
    expect(calls[0]).toEqual(expect.arrayContaining(['gpg', '--homedir=/h', '--local-user=ABCD', '--detach-sign']));
    const refusing = run({ status: 2, stdout: '', stderr: 'gpg: No secret key' });
    await expect(signGpg(refusing, fx.SIGNED, { keyId: 'ABCD' })).rejects.toMatchObject({
      code: 'key-invalid',
      hints: ['gpg says: No secret key'],
    });
  });
});
