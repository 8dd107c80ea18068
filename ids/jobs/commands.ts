/** Which commands there are about jobs: what each wants and returns, as its Lua file says. */
import { command } from '../../shared/redis/command.ts'

const older = { older: [] } as const

export const beginRun = command(
  'begin-run',
  ['lock', 'seen', 'slot', 'runner', 'ttl', 'again', 'keep'],
  { begun: ['new', 'token', 'expires_in', 'expires', 'entry'] },
  {
    taken: ['slot', 'state', 'by', 'at', 'token', 'note'],
    early: ['latest'],
    later: ['newest'],
    locked: ['why', 'rest', 'waiting'],
    barred: ['rest'],
    'too-many': [],
    ...older,
  },
)
export const endRun = command(
  'end-run',
  ['lock', 'seen', 'slot', 'runner', 'outcome', 'note'],
  { over: ['state'], decided: ['state'] },
  { unknown: [], lost: ['by'], ...older },
)
