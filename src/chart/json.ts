/** Writes a chart as JSON: its model, and the highlights. */
import {type ChartMarks, hasMarks, noMarks} from './marks.ts'
import type {ChartModel} from './model.ts'

/** Sets become arrays. `states` is left out, since `root` contains all states. */
export function toChartJson({id, root, transitions}: ChartModel, marks: ChartMarks = noMarks): object {
  return {
    id,
    root,
    transitions,
    ...(hasMarks(marks) && {marks: {active: [...marks.active], possible: [...marks.possible], last: [...marks.last]}}),
  }
}

export function renderJson(model: ChartModel, marks?: ChartMarks): string {
  return `${JSON.stringify(toChartJson(model, marks), undefined, 2)}\n`
}
