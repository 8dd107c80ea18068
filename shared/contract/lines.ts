/** How does an entry tell of items, and how many of each? */

/** An item and how many of it. */
export type Line = readonly [item: string, quantity: number]

/** Reads `item:quantity,item:quantity`. */
export const parseLines = (lines: string): readonly Line[] =>
  lines === ''
    ? []
    : lines.split(',').map((line) => {
        const colon = line.indexOf(':')
        return [line.slice(0, colon), Number(line.slice(colon + 1))] as const
      })
