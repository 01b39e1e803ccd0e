import { describe, expect, it } from '@jest/globals';
import { editKargs, joinKargs, type KargEdit, mergeKargLayers, splitKargs } from '../../../src/bootloader/index.ts';

const edit = (op: KargEdit['op'], argument: string): KargEdit => ({ op, argument });
const run = (words: string, ...edits: KargEdit[]): string => joinKargs(editKargs(splitKargs(words), edits));

describe('splitKargs', () => {
  it('splits at blanks outside double quotes and keeps the quotes', () => {
    expect(splitKargs('  a=1 b  c="x y" "d=p q"\n e=" ')).toEqual(['a=1', 'b', 'c="x y"', '"d=p q"', 'e=" ']);
    expect(splitKargs('')).toEqual([]);
  });
});

describe('editKargs', () => {
  it('replaces all values of a key at the place of the first', () => {
    expect(run('a=1 b a=2 c', edit('replace', 'a=7'))).toBe('a=7 b c');
    expect(run('a=1 b a=2 c', edit('replace', 'a'))).toBe('a b c');
    expect(run('a=1', edit('replace', 'z=1'))).toBe('a=1 z=1');
    expect(run('root=UUID=old x', edit('replace', 'root=UUID=new'))).toBe('root=UUID=new x');
  });

  it('replaces one value among several with K=OLD=NEW', () => {
    expect(run('console=tty0 x console=ttyS0', edit('replace', 'console=tty0=ttyS1'))).toBe('console=ttyS1 x console=ttyS0');
    expect(run('x b=1', edit('replace', 'b=2=3'))).toBe('x b=2=3');
  });

  it('appends, also when the very argument is there', () => {
    expect(run('a', edit('append', 'a'), edit('append', 'b='))).toBe('a a b=');
    expect(run('a b', edit('append-if-missing', 'a'), edit('append-if-missing', 'a='))).toBe('a b a=');
  });

  it('deletes the only one of a key, the one without value, or an exact one', () => {
    expect(run('c=2 x', edit('delete', 'c'))).toBe('x');
    expect(run('c=2 c', edit('delete', 'c'))).toBe('c=2');
    expect(run('q q', edit('delete', 'q'))).toBe('q');
    expect(run('b=1 b=1', edit('delete', 'b=1'))).toBe('b=1');
    expect(run('q=', edit('delete', 'q'))).toBe('');
    expect(run('a', edit('delete', 'zz'), edit('delete', 'zz=1'))).toBe('a');
  });

  it('refuses what is not clear', () => {
    const code = expect.objectContaining({ code: 'karg-invalid', message: "Multiple values for key 'a' found" });
    expect(() => run('a=1 a=2', edit('delete', 'a'))).toThrow(code as never);
    expect(() => run('a=1', edit('delete', 'a=2'))).toThrow("No karg 'a=2' found");
    expect(() => run('a=1', edit('append', ''))).toThrow("Invalid kernel argument ''");
    expect(() => run('a=1', edit('append', '=v'))).toThrow("Invalid kernel argument '=v'");
  });
});

describe('mergeKargLayers', () => {
  it('applies tree, machine and one-shot in order and says where each argument came from', () => {
    const merged = mergeKargLayers([
      { origin: 'tree', edits: [edit('append', 'quiet'), edit('append', 'loglevel=3'), edit('append', 'splash')] },
      { origin: 'machine', edits: [edit('replace', 'loglevel=7'), edit('append', 'console=ttyS0'), edit('delete', 'splash')] },
      { origin: 'one-shot', edits: [edit('append', 'systemd.unit=rescue.target')] },
    ]);
    expect(merged).toEqual([
      { argument: 'quiet', origin: 'tree' },
      { argument: 'loglevel=7', origin: 'machine' },
      { argument: 'console=ttyS0', origin: 'machine' },
      { argument: 'systemd.unit=rescue.target', origin: 'one-shot' },
    ]);
  });
});
