/** What of a chart is lit at a moment. Ids are those of the model; all empty for the bare machine. */
export interface ChartMarks {
  /** Active states, with those around them. */
  readonly active: ReadonlySet<string>
  /** Transitions that can be taken from there. */
  readonly possible: ReadonlySet<string>
  /** Those that the latest event took. */
  readonly last: ReadonlySet<string>
}

export const noMarks: ChartMarks = {active: new Set(), possible: new Set(), last: new Set()}

/** Whether there is a moment at all. */
export function hasMarks({active}: ChartMarks): boolean {
  return active.size > 0
}
