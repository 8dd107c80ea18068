/** How are things told to people? */

const number = new Intl.NumberFormat('en')

/** An amount, which may be a text that is more than a number holds. */
export const amount = (value) =>
  value === undefined || value === null || value === '' ? '–' : number.format(BigInt(value))

/** Milliseconds, as short as they are understood. */
export const duration = (ms) => {
  if (ms === null || ms === undefined || Number.isNaN(ms)) return '–'
  if (ms < 1_000) return `${Math.round(ms)} ms`
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`
  return ms < 3_600_000 ? `${Math.round(ms / 60_000)} min` : `${(ms / 3_600_000).toFixed(1)} h`
}

const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' })
/** The time of day, as the reader's clock has it. */
export const time = (at) => (at ? clock.format(new Date(at)) : '–')

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
export const bytes = (count) => {
  if (count === null || count === undefined) return '–'
  const unit = count === 0 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log2(count) / 10))
  return `${(count / 1_024 ** unit).toFixed(unit === 0 ? 0 : 1)} ${UNITS[unit]}`
}

/** An id as it is told apart at a glance. */
export const short = (id) => (id.length > 12 ? `${id.slice(0, 10)}…` : id)

export const count = (many, what) => `${number.format(many)} ${what}${many === 1 ? '' : 's'}`

const plain = (text) => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** A state in a word, and how it is coloured. */
export const STATES = {
  submitted: ['submitted', 'busy'],
  started: ['under way', 'busy'],
  paid: ['paid', 'good'],
  refused: ['refused', 'off'],
  cancelled: ['cancelled', 'bad'],
  contradicted: ['contradicted', 'bad'],
  resolved: ['resolved', 'off'],
  refunding: ['refunding', 'busy'],
  refunded: ['refunded', 'off'],
}

const REASONS = {
  'out-of-credit': 'not enough credit',
  'out-of-stock': 'not enough in stock',
  'user-gone': 'there is no such user',
}
export const reasonOf = ({ reason, item }) =>
  reason === '' ? '' : `${REASONS[reason] ?? reason.replaceAll('-', ' ')}${item === '' ? '' : ` of ${short(item)}`}`

const REPAIRS = {
  'tell-again': 'tells it again',
  cancel: 'cancels it',
  drop: 'takes it off its list',
  serve: 'looks again',
}

/** What comes next for a saga in one service, and when: what its log parser will do, unless something happens before. */
export const nextOf = (status) => {
  if (status.recorded.contradicted !== undefined && status.recorded.resolved === undefined)
    return 'contradicted: a person resolves it'
  if (!status.unfinished) return 'done here'
  const unheard = Object.keys(status.heard).filter((one) => !status.heard[one])
  const waits = unheard.length > 0 ? `waits for ${unheard.join(' and ')} to read on` : 'waits for an answer'
  if (status.next === null) return waits
  return `${waits}; else ${status.service} ${REPAIRS[status.next.repair] ?? status.next.repair} at ${time(status.next.at)}`
}

const HIDDEN = new Set(['order', 'user', 'total', 'log_id'])
/** What an entry says besides what stands above it. */
export const factsOf = ({ facts }) =>
  Object.entries(facts)
    .filter(([name, value]) => !HIDDEN.has(name) && value !== '')
    .map(([name, value]) => {
      if (name === 'deadline') return `deadline ${time(Number(value))}`
      if (name === 'done_by') return `by ${plain(value)}`
      return name === 'why' ? `“${plain(value)}”` : `${name.replaceAll('_', ' ')} ${value}`
    })
