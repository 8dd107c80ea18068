/**
 * The text format of Prometheus, read: each line that tells a value. Written after its specification, without the library that
 * writes it.
 */
import assert from 'node:assert/strict'

export type Line = {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/
const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)(?: \d+)?$/
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/
const PARTS = /(_bucket|_sum|_count)$/

const numberOf = (text: string): number => {
  if (text === '+Inf') return Number.POSITIVE_INFINITY
  if (text === 'Nan' || text === 'NaN') return Number.NaN
  const number = Number(text)
  assert.ok(text !== '' && !Number.isNaN(number), `no number: ${text}`)
  return number
}

const labelsIn = (text: string): Record<string, string> => {
  const labels: Record<string, string> = {}
  for (let rest = text; rest !== ''; ) {
    const [all, name, value] = LABEL.exec(rest) ?? assert.fail(`no label: ${rest}`)
    assert.ok(name !== undefined && value !== undefined && !Object.hasOwn(labels, name), `twice: ${name}`)
    labels[name] = value.replaceAll(/\\(["\\n])/g, (_, one) => (one === 'n' ? '\n' : one))
    rest = rest.slice(all.length)
  }
  return labels
}

/** @throws if a line is none, or is of no metric with a help and a type, or stands twice */
export const parseExposition = (text: string): readonly Line[] => {
  assert.ok(text.endsWith('\n'), 'the last line does not end')
  const types = new Map<string, string>()
  const helped = new Set<string>()
  const seen = new Set<string>()
  const lines: Line[] = []
  for (const line of text.split('\n')) {
    if (line === '') continue
    const [, what, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? []
    if (what !== undefined) {
      assert.match(name, NAME)
      if (what === 'HELP') helped.add(name)
      else types.set(name, rest)
      continue
    }
    const [, of = '', labels = '', value = ''] = SAMPLE.exec(line) ?? assert.fail(`no line: ${line}`)
    const base = of.replace(PARTS, '')
    const metric = types.get(base) === 'histogram' || types.get(base) === 'summary' ? base : of
    assert.ok(types.has(metric) && helped.has(metric), `${metric} has no help or no type`)
    assert.ok(!seen.has(`${of}{${labels}}`), `twice: ${line}`)
    seen.add(`${of}{${labels}}`)
    lines.push({ name: of, labels: labelsIn(labels), value: numberOf(value) })
  }
  return lines
}

/** The value under exactly these labels; undefined if there is none. */
export const toldOf = (
  lines: readonly Line[],
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined => {
  const wanted = Object.entries(labels)
  return lines.find(
    (line) =>
      line.name === name &&
      Object.keys(line.labels).length === wanted.length &&
      wanted.every(([label, value]) => line.labels[label] === value),
  )?.value
}
