/**
 * When is a job due?
 *
 * Minute, hour, day of the month, month and day of the week, as `0 3 * * *`, in UTC: `*`, numbers, ranges, lists, and steps. Where both
 * days are given, either will do.
 */
const FIELDS = [
  { name: 'minute', least: 0, most: 59 },
  { name: 'hour', least: 0, most: 23 },
  { name: 'day of the month', least: 1, most: 31 },
  { name: 'month', least: 1, most: 12 },
  { name: 'day of the week', least: 0, most: 7 },
] as const

const PART = /^(?:\*|(\d+)(?:-(\d+))?)(?:\/(\d+))?$/
const MINUTE_MS = 60_000
/** A 29th of February comes after eight years at most. */
const YEARS_MAX = 9

const numbersIn = (text: string, { name, least, most }: (typeof FIELDS)[number]): ReadonlySet<number> => {
  const numbers = new Set<number>()
  for (const part of text.split(',')) {
    const [whole, first, last, step] = PART.exec(part) ?? []
    const from = Number(first ?? least)
    const to = Number(last ?? (first === undefined || step !== undefined ? most : first))
    const by = Number(step ?? 1)
    if (whole === undefined || from < least || to > most || from > to || by < 1)
      throw new RangeError(`"${text}" is no ${name} of a time`)
    for (let number = from; number <= to; number += by) numbers.add(number)
  }
  return numbers
}

/** @throws RangeError if the expression is none, or never due */
export const openTimes = (expression: string): ((afterMs: number) => number) => {
  const texts = expression.trim().split(/\s+/)
  if (texts.length !== FIELDS.length) throw new RangeError(`"${expression}" has not five fields`)
  const [minutes, hours, days, months, weekdays] = FIELDS.map((field, at) => numbersIn(texts[at] ?? '', field)) as [
    ReadonlySet<number>,
    ReadonlySet<number>,
    ReadonlySet<number>,
    ReadonlySet<number>,
    ReadonlySet<number>,
  ]
  const isEitherDay = !texts[2]?.startsWith('*') && !texts[4]?.startsWith('*')
  const isDay = (at: Date): boolean => {
    const isOfMonth = days.has(at.getUTCDate())
    const isOfWeek = weekdays.has(at.getUTCDay()) || (at.getUTCDay() === 0 && weekdays.has(7))
    return months.has(at.getUTCMonth() + 1) && (isEitherDay ? isOfMonth || isOfWeek : isOfMonth && isOfWeek)
  }
  /** The first due time after a moment. */
  const after = (afterMs: number): number => {
    const at = new Date(Math.floor(afterMs / MINUTE_MS) * MINUTE_MS + MINUTE_MS)
    const end = at.getUTCFullYear() + YEARS_MAX
    while (at.getUTCFullYear() < end) {
      if (!isDay(at)) at.setUTCHours(24, 0, 0, 0)
      else if (!hours.has(at.getUTCHours())) at.setUTCHours(at.getUTCHours() + 1, 0, 0, 0)
      else if (!minutes.has(at.getUTCMinutes())) at.setUTCMinutes(at.getUTCMinutes() + 1, 0, 0)
      else return at.getTime()
    }
    throw new RangeError(`"${expression}" is never due`)
  }
  after(0)
  return after
}
