/** Text of the formats for the commands, which do not know the formats themselves: dates and GVariant text. */
export { type DateOptions, parseDate, parseVariantText, printDate } from '../format/index.ts';
