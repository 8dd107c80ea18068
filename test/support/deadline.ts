/**
 * A test file that waits for ever is ended. AVA loads this before each test file.
 *
 * Its own timeout looks once whether nothing has happened for so long. If a test, in whichever file, has asked by `t.timeout` for a time
 * that is not over then, it does not look again; so a run that waited for one file was not ended by it. A file takes so long
 * only if it is asked to: for the whole length of the faults, or for many schedules.
 */
const MOST_MS = 15 * 60_000

const { FAULTS, SAGA_RUNS } = process.env
if (FAULTS !== 'full' && SAGA_RUNS === undefined)
  setTimeout(() => {
    process.stderr.write(`a test file is ended that has not come to its end within ${MOST_MS / 60_000} minutes\n`)
    process.exit(1)
  }, MOST_MS).unref()
