import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { HacktreeError } from '../../../src/core/index.ts';
import { KeyFile } from '../../../src/format/index.ts';

const TEXT = `# head comment

[core]
repo_version=1
mode=bare
  # indented comment
 spaced key = value with spaces  
list=a;b\\;c;d\\sx;
dup=1
dup=2
empty=
name[de]=lokal

[remote "a.b"]
url=http://x

# about c
[remote "c"]
url=y
[core]
again=yes
`;

describe('KeyFile', () => {
  it('reads values', () => {
    const file = KeyFile.parse(TEXT);
    expect(file.groups()).toEqual(['core', 'remote "a.b"', 'remote "c"']);
    expect(file.hasGroup('remote "c"')).toBe(true);
    expect(file.hasGroup('remote')).toBe(false);
    expect(file.keys('core')).toEqual(['repo_version', 'mode', 'spaced key', 'list', 'dup', 'empty', 'name[de]', 'again']);
    expect(file.get('core', 'spaced key')).toBe('value with spaces  ');
    expect(file.getString('core', 'dup')).toBe('2');
    expect(file.getString('core', 'empty')).toBe('');
    expect(file.getString('core', 'again')).toBe('yes');
    expect(file.getString('core', 'nope')).toBeUndefined();
    expect(file.getString('nope', 'mode')).toBeUndefined();
    expect(file.getList('core', 'list')).toEqual(['a', 'b;c', 'd x']);
    expect(file.getList('core', 'nope')).toBeUndefined();
    expect(file.get('remote "a.b"', 'url')).toBe('http://x');
  });

  it('prints what it read', () => {
    expect(KeyFile.parse(TEXT).print()).toBe(TEXT);
    expect(KeyFile.parse('').print()).toBe('');
    expect(KeyFile.parse('[a]\nb=1').print()).toBe('[a]\nb=1\n');
  });

  it('changes one line and leaves the others', () => {
    const file = KeyFile.parse(TEXT);
    file.setString('core', 'mode', 'archive-z2');
    file.setString('core', 'dup', '3');
    file.setString('remote "a.b"', 'proxy', 'p');
    file.unset('core', 'list');
    const expected = TEXT.replace('mode=bare', 'mode=archive-z2')
      .replace('dup=2', 'dup=3')
      .replace('url=http://x\n', 'url=http://x\nproxy=p\n')
      .replace(/list=.*\n/, '');
    expect(file.print()).toBe(expected);
    expect(file.unset('core', 'nope')).toBe(false);
    expect(file.print()).toBe(expected);
  });

  it('adds a group after a blank line, and removes it with what is its own', () => {
    const file = KeyFile.parse(TEXT);
    file.setList('remote "new"', 'branches', ['a', 'b;c', ' d']);
    expect(file.print()).toBe(`${TEXT}\n[remote "new"]\nbranches=a;b\\;c;\\sd;\n`);
    expect(file.getList('remote "new"', 'branches')).toEqual(['a', 'b;c', ' d']);
    expect(file.removeGroup('remote "new"')).toBe(true);
    expect(file.removeGroup('remote "new"')).toBe(false);
    expect(file.removeGroup('remote "a.b"')).toBe(true);
    expect(file.print().trimEnd()).toBe(TEXT.replace('[remote "a.b"]\nurl=http://x\n', '').trimEnd());
    const fresh = KeyFile.parse('');
    fresh.set('a', 'b', 'c');
    expect(fresh.print()).toBe('[a]\nb=c\n');
  });

  it('reads lines that end in carriage returns', () => {
    const file = KeyFile.parse('[core]\r\na=1\r\n\r\n# c\r\nb = x y \r\n');
    expect(file.getInteger('core', 'a')).toBe(1);
    expect(file.get('core', 'b')).toBe('x y ');
  });

  it.each([
    ['a line that is nothing', '[a]\nx'],
    ['a key before any group', 'x=1\n[a]'],
    ['an unfinished group', '[a\nx=1'],
    ['text after a group', '[a] x'],
    ['a group without name', '[]'],
    ['a group with brackets', '[a[b]]'],
    ['a line without key', '[a]\n=5'],
    ['a key with a bracket', '[a]\nk[x=1'],
    ['a comment of another language', '[a]\n; x'],
    ['a byte order mark', '\ufeff[a]'],
  ])('refuses %s, naming file and line', (_, text) => {
    const line = text.includes('\n') && !text.startsWith('x') && !text.startsWith('[a\n') ? 2 : 1;
    expect(() => KeyFile.parse(text, '/r/config')).toThrow(
      expect.objectContaining({ code: 'repo-config', message: expect.stringContaining(`/r/config, line ${line}: `) }),
    );
  });

  it('reads booleans and integers, and refuses others', () => {
    const file = KeyFile.parse('[a]\nt=true\nf=false\none=1 \nzero=0\nyes=yes\nn=-12\nx=1x\nempty=\n');
    expect(['t', 'f', 'one', 'zero', 'none'].map((key) => file.getBoolean('a', key))).toEqual([
      true,
      false,
      true,
      false,
      undefined,
    ]);
    expect(file.getInteger('a', 'n')).toBe(-12);
    expect(file.getInteger('a', 'none')).toBeUndefined();
    for (const key of ['yes', 'empty', 'n']) expect(() => file.getBoolean('a', key)).toThrow(/Invalid value '.*' of a\./);
    for (const key of ['x', 'empty', 't']) {
      expect(() => file.getInteger('a', key)).toThrow(expect.objectContaining({ code: 'repo-config' }));
    }
  });

  it.each(['\\q', '\\', 'a\\;b', '\\x41'])('refuses the escape in %p', (value) => {
    const file = KeyFile.parse(`[a]\nk=${value}\n`);
    expect(() => file.getString('a', 'k')).toThrow(expect.objectContaining({ code: 'repo-config' }));
  });

  it('gives back every string and list', () => {
    const text = fc.string({ unit: fc.constantFrom(...' \t\n\r\\;=#[]abcé"\f') });
    fc.assert(
      fc.property(text, fc.array(text, { minLength: 1 }), (value, list) => {
        const file = KeyFile.parse(TEXT);
        file.setString('core', 'value', value);
        file.setList('x y', 'list', list);
        const again = KeyFile.parse(file.print());
        // A form feed is the one blank that has no escape.
        if (!/^[\s]*\f/.test(value)) expect(again.getString('core', 'value')).toBe(value);
        if (!list.some((item) => /^[\s]*\f/.test(item))) expect(again.getList('x y', 'list')).toEqual(list);
        expect(again.print()).toBe(file.print());
      }),
    );
  });

  it('takes any text with lines or a config error', () => {
    const piece = fc.constantFrom('[', ']', 'a', '=', '#', ' ', '\n', '\\', ';', '\r', '\u0000', '"');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        const text = pieces.join('');
        try {
          const file = KeyFile.parse(text);
          expect(file.print().replace(/\n$/, '')).toBe(text.replace(/\n$/, ''));
        } catch (error) {
          expect(error).toBeInstanceOf(HacktreeError);
          expect((error as HacktreeError).code).toBe('repo-config');
        }
      }),
      { numRuns: 5000 },
    );
    for (const each of ['[', '[a]\n', ' ', '\\', 'a', '[a]\nb=\\']) {
      try {
        KeyFile.parse(each.repeat(50_000)).getList('a', 'b');
      } catch (error) {
        expect((error as HacktreeError).code).toBe('repo-config');
      }
    }
  });
});
