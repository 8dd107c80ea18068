/**
 * Loaded into each Node process of a drilled shop: at SIGUSR2 it collects all garbage and writes down what is left.
 *
 * What a process holds in memory goes up and down with how lazily its garbage is collected; what is left after a whole
 * collection is what it really keeps, and tells a leak within minutes.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

const { DRILL_HEAPS: folder, REPLICA: part } = process.env

if (folder !== undefined && part !== undefined)
  process.on('SIGUSR2', () => {
    globalThis.gc?.()
    writeFileSync(join(folder, part), `${process.pid} ${process.memoryUsage().heapUsed}`)
  })
