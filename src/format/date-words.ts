/**
 * The words of dates on the command line, in lower case: months, days, units, zones.
 *
 * Zones of one letter are left out but for Z: the military ones and those of old mail have opposite signs.
 *
 * Source: GNU coreutils manual, "Date input formats".
 */

const MONTHS = 'january february march april may june july august september october november december'.split(' ');

/** Number of each month, 1 to 12. */
export const MONTH_WORDS: ReadonlyMap<string, number> = new Map(
  MONTHS.flatMap((name, i) => [
    [name, i + 1],
    [name.slice(0, 3), i + 1],
  ]),
).set('sept', 9);

/** Number of each day of the week, 0 = Sunday. */
export const WEEKDAYS: ReadonlyMap<string, number> = new Map(
  ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'].flatMap((name, i) => [
    [name, i],
    [name.slice(0, 3), i],
  ]),
)
  .set('tues', 2)
  .set('wednes', 3)
  .set('thur', 4)
  .set('thurs', 4);

/** Words that count; `second` is a unit of time instead. */
export const ORDINALS: ReadonlyMap<string, number> = new Map([
  ['last', -1],
  ['this', 0],
  ['next', 1],
  ['first', 1],
  ['third', 3],
  ['fourth', 4],
  ['fifth', 5],
  ['sixth', 6],
  ['seventh', 7],
  ['eighth', 8],
  ['ninth', 9],
  ['tenth', 10],
  ['eleventh', 11],
  ['twelfth', 12],
]);

/** A field of a shift, and how many of it the unit is. */
export type Unit = readonly ['years' | 'months' | 'days' | 'seconds', number];

const UNITS: ReadonlyMap<string, Unit> = new Map<string, Unit>([
  ['year', ['years', 1]],
  ['month', ['months', 1]],
  ['fortnight', ['days', 14]],
  ['week', ['days', 7]],
  ['day', ['days', 1]],
  ['hour', ['seconds', 3600]],
  ['minute', ['seconds', 60]],
  ['min', ['seconds', 60]],
  ['second', ['seconds', 1]],
  ['sec', ['seconds', 1]],
]);

/** Finds the unit that a word names, in singular or plural. */
export function unitOf(word: string): Unit | undefined {
  return UNITS.get(word) ?? UNITS.get(word.replace(/s$/, ''));
}

/** Words that shift by days. */
export const DAY_SHIFTS: ReadonlyMap<string, number> = new Map([
  ['yesterday', -1],
  ['today', 0],
  ['now', 0],
  ['tomorrow', 1],
]);

/** Hours east of UTC. */
export const ZONES: ReadonlyMap<string, number> = new Map(
  Object.entries({
    z: 0,
    gmt: 0,
    ut: 0,
    utc: 0,
    wet: 0,
    west: 1,
    bst: 1,
    art: -3,
    brt: -3,
    brst: -2,
    nst: -3.5,
    ndt: -2.5,
    ast: -4,
    adt: -3,
    clt: -4,
    clst: -3,
    est: -5,
    edt: -4,
    cst: -6,
    cdt: -5,
    mst: -7,
    mdt: -6,
    pst: -8,
    pdt: -7,
    akst: -9,
    akdt: -8,
    hst: -10,
    hast: -10,
    hadt: -9,
    sst: -12,
    wat: 1,
    cet: 1,
    cest: 2,
    met: 1,
    mez: 1,
    mest: 2,
    mesz: 2,
    eet: 2,
    eest: 3,
    cat: 2,
    sast: 2,
    eat: 3,
    msk: 3,
    msd: 4,
    ist: 5.5,
    sgt: 8,
    kst: 9,
    jst: 9,
    gst: 10,
    nzst: 12,
    nzdt: 13,
  }),
);
