/** Sizes for people, in the form that GLib gives them and ostree prints. Source: g_format_size(3). */

const UNITS = ['kB', 'MB', 'GB', 'TB', 'PB', 'EB'];

/** Prints a size in decimal units with one digit and a no-break space: `12.3 MB`, below 1000 `12 bytes`. */
export function printSize(bytes: number): string {
  if (bytes < 1000) return bytes === 1 ? '1 byte' : `${bytes} bytes`;
  let unit = 0;
  let value = bytes / 1000;
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${value.toFixed(1)}\u00a0${UNITS[unit]}`;
}
