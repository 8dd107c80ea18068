/** How much does each Node process of a shop really keep? Asked by a signal, told in a file: see `heap-process.ts`. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Part } from '../../env/local/managed-process.ts'

const HOOK = new URL('heap-process.ts', import.meta.url).href

export type Heaps = {
  /** The variables of the processes. */
  readonly environment: Readonly<Record<string, string>>
  /** Has a part that is up collect its garbage; what is left is told soon. */
  readonly ask: (part: Part) => void
  /** What was left, in bytes, when this process was last asked. */
  readonly told: (part: Part) => number | undefined
  readonly [Symbol.dispose]: () => void
}

export const openHeaps = (): Heaps => {
  const folder = mkdtempSync(join(tmpdir(), 'drill-'))
  return {
    environment: { NODE_OPTIONS: `--expose-gc --import=${HOOK}`, DRILL_HEAPS: folder },
    ask: ({ name, state, kill }) => {
      if (state === 'up' && !name.endsWith('-redis')) void kill('SIGUSR2')
    },
    told: ({ name, pid }) => {
      const file = join(folder, name)
      if (!existsSync(file)) return undefined
      const [by, bytes] = readFileSync(file, 'utf8').split(' ').map(Number)
      return by === pid ? bytes : undefined
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  }
}
