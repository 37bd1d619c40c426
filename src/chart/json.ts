/** A chart as JSON: what it is made of, and what is lit. */
import {type ChartMarks, hasMarks, noMarks} from './marks.ts'
import type {ChartModel} from './model.ts'

/** The model with its maps and sets as objects and arrays; without `states`, which `root` has. */
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
