/**
 * Is imported into each process of a shop whose profile is wanted (see `profile.ts`): the signal SIGUSR2 begins a CPU
 * profile, the next one ends it and writes it, complete under its name at once.
 */
import { renameSync, writeFileSync } from 'node:fs'
import { Session } from 'node:inspector/promises'

const file = process.env.BENCH_PROFILE ?? ''
const session = new Session()
session.connect()
await session.post('Profiler.enable')
await session.post('Profiler.setSamplingInterval', { interval: 500 })
let turn = 0

process.on('SIGUSR2', async () => {
  turn += 1
  if (turn % 2 === 1) return session.post('Profiler.start')
  const { profile } = await session.post('Profiler.stop')
  const path = `${file}-${turn / 2}.cpuprofile`
  writeFileSync(`${path}.part`, JSON.stringify(profile))
  renameSync(`${path}.part`, path)
})
