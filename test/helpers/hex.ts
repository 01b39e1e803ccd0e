/** Bytes written as hex digits with any white space between them, as xxd and hexdump print them. */
export function hex(text: string): Buffer {
  const digits = text.replace(/\s+/g, '');
  const bytes = Buffer.from(digits, 'hex');
  if (bytes.length * 2 !== digits.length) throw new Error(`not hex: ${text}`);
  return bytes;
}
