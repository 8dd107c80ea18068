/** How are the options of a program read? What is wrong with one is one sentence, which names it. */
import type { ParseArgsOptionsConfig } from 'node:util'
import { readLine, UsageError } from '../../env/command-line.ts'

/** The options as they were given. @throws UsageError for one that is not known or lacks its value. */
export const readOptions = <Config extends ParseArgsOptionsConfig>(line: readonly string[], options: Config) =>
  readLine({ args: [...line], options }).values

/** A whole number within its bounds. @throws UsageError */
export const parseNumber = (option: string, value: string, min: number, max: number): number => {
  const number = /^\d{1,10}$/.test(value) ? Number(value) : Number.NaN
  if (number >= min && number <= max) return number
  throw new UsageError(`--${option} takes numbers from ${min} to ${max}, not "${value}"`)
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }

/** A time as it is given on a command line. */
export const inWords = (ms: number): string => {
  const [unit, size] = Object.entries(UNITS).findLast(([, size]) => ms >= size && ms % size === 0) ?? ['ms', 1]
  return `${ms / size}${unit}`
}

/** A time with its unit, within its bounds, in milliseconds. @throws UsageError */
export const parseTime = (
  option: string,
  value: string,
  { minMs, maxMs }: { readonly minMs: number; readonly maxMs: number },
): number => {
  const [, number, unit = ''] = /^(\d{1,7}(?:\.\d{1,3})?)(ms|s|m|h)$/.exec(value) ?? []
  const ms = Math.round(Number(number) * (UNITS[unit] ?? Number.NaN))
  if (ms >= minMs && ms <= maxMs) return ms
  throw new UsageError(`--${option} takes times from ${inWords(minMs)} to ${inWords(maxMs)}, not "${value}"`)
}
