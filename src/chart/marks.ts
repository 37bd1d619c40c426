/** The highlights of a chart at a moment, as ids of the model. All sets are empty for a chart without a moment. */
export interface ChartMarks {
  /** The active states, including enclosing ones. */
  readonly active: ReadonlySet<string>
  /** The transitions that can be taken next. */
  readonly possible: ReadonlySet<string>
  /** The transitions that the last event took. */
  readonly last: ReadonlySet<string>
}

export const noMarks: ChartMarks = {active: new Set(), possible: new Set(), last: new Set()}

export function hasMarks({active}: ChartMarks): boolean {
  return active.size > 0
}
