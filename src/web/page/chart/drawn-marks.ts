/** The highlights of a chart as the page draws it. Pure. */
import type {ChartMarks} from '../../../chart/marks.ts'
import type {PageModel} from './page-model.ts'

/** Several transitions may be drawn as one edge, which is highlighted if any of them is. */
export function toDrawnMarks({drawnAs}: PageModel, {active, possible, last}: ChartMarks): ChartMarks {
  const toDrawn = (ids: ReadonlySet<string>) => new Set([...ids].flatMap((id) => drawnAs.get(id) ?? []))
  return {active, possible: toDrawn(possible), last: toDrawn(last)}
}
