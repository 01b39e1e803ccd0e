import { describe, expect, it } from '@jest/globals';
import { type Dict, encodeDict } from '../../../src/format/index.ts';
import { addSignatures, listSignatures, SIGNATURE_KEYS, setSignatures } from '../../../src/sign/index.ts';

const EMPTY: Dict = [];
const sig = (text: string): Buffer => Buffer.from(text);

describe('signatures in dictionaries', () => {
  it('makes the commitmeta that ostree makes', () => {
    // ostree-format 13.5: ostree sign --sign-type=dummy main MYKEY
    const expected = '6f73747265652e7369676e2e64756d6d790000000000000' + '04d594b455905006161791223';
    expect(encodeDict(addSignatures(EMPTY, 'dummy', [sig('MYKEY')])).toString('hex')).toBe(expected);
  });

  it('appends, keeps other keys, and comes back in hash order whatever the order before', () => {
    const other = ['a', { type: 's', value: 'b' }] as const;
    const one = addSignatures([other], 'gpg', [sig('1')]);
    const two = addSignatures(addSignatures(one, 'gpg', [sig('2')]), 'dummy', [sig('3')]);
    expect(listSignatures(two, 'gpg')).toEqual([sig('1'), sig('2')]);
    expect(listSignatures(two, 'dummy')).toEqual([sig('3')]);
    expect(listSignatures(two, 'ed25519')).toEqual([]);
    // As ostree 2022.7 left it after sign and gpg-sign of a commit with detached metadata a=b.
    expect(two.map(([key]) => key)).toEqual(['ostree.sign.dummy', 'a', 'ostree.gpgsigs']);
  });

  it('removes the key with its last signature', () => {
    const dict = addSignatures([['a', { type: 's', value: 'b' }]], 'gpg', [sig('1'), sig('2')]);
    const left = setSignatures(dict, 'gpg', listSignatures(dict, 'gpg').slice(1));
    expect(listSignatures(left, 'gpg')).toEqual([sig('2')]);
    expect(setSignatures(left, 'gpg', [])).toEqual([['a', { type: 's', value: 'b' }]]);
  });

  it('refuses a value of another type', () => {
    const dict: Dict = [[SIGNATURE_KEYS.gpg, { type: 's', value: 'x' }]];
    expect(() => listSignatures(dict, 'gpg')).toThrow(expect.objectContaining({ code: 'format-invalid' }));
  });
});
