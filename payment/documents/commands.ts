/** Which commands of documents are there? What each wants and returns, as its Lua file says. */
import { command } from '../../shared/redis/command.ts'

export const indexDocuments = command('index-documents', ['kind', 'page'], { indexed: [], 'in-part': [] })
export const confirmSeries = command('confirm-series', ['invoice', 'credit_note', 'lost'], {
  confirmed: ['series'],
  raised: ['series'],
  renewed: ['series'],
})
