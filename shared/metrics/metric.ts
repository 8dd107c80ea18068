/**
 * What is a metric, as data?
 *
 * A name, what it tells, and by what it is told apart. A *counter* only grows, a *gauge* is a number as it is now, and a *histogram*
 * counts how many numbers lay below each bound. A label has few values, which the program knows: never an id, nor what a client sent.
 */
export type Metric<Labels extends readonly string[] = readonly string[]> = {
  readonly kind: 'counter' | 'gauge' | 'histogram'
  readonly name: string
  readonly help: string
  readonly labels: Labels
}
export type Histogram<Labels extends readonly string[] = readonly string[]> = Metric<Labels> & {
  readonly kind: 'histogram'
  /** Ascending. */
  readonly bounds: readonly number[]
}

/** The value of each label, in their order. */
export type Values<Labels extends readonly string[]> = { readonly [At in keyof Labels]: string }

/** From a millisecond to ten seconds. */
export const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const

export const counter = <const Labels extends readonly string[]>(
  name: string,
  help: string,
  ...labels: Labels
): Metric<Labels> => ({ kind: 'counter', name, help, labels })

export const gauge = <const Labels extends readonly string[]>(
  name: string,
  help: string,
  ...labels: Labels
): Metric<Labels> => ({ kind: 'gauge', name, help, labels })

export const histogram = <const Labels extends readonly string[]>(
  name: string,
  help: string,
  bounds: readonly number[],
  ...labels: Labels
): Histogram<Labels> => ({ kind: 'histogram', name, help, labels, bounds })
