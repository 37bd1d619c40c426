/** What is lit of a chart as the page draws it. Pure. */
import type {ChartMarks} from '../../../chart/marks.ts'
import type {PageModel} from './page-model.ts'

/** Of several transitions that are drawn as one, any. */
export function toDrawnMarks({drawnAs}: PageModel, {active, possible, last}: ChartMarks): ChartMarks {
  const toDrawn = (ids: ReadonlySet<string>) => new Set([...ids].flatMap((id) => drawnAs.get(id) ?? []))
  return {active, possible: toDrawn(possible), last: toDrawn(last)}
}
