export type Following = 'moment' | 'whole'

interface ChartControlsProps {
  /** Undefined when the view was moved by hand. */
  readonly following: Following | undefined
  readonly onFollow: (following: Following) => void
  readonly onZoom: (factor: number) => void
}

export function ChartControls({following, onFollow, onZoom}: ChartControlsProps) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset would be a form of its own
    <div class="chart-controls" role="group" aria-label="View of the chart">
      <button type="button" aria-pressed={following === 'moment'} onClick={() => onFollow('moment')}>
        Follow
      </button>
      <button type="button" aria-pressed={following === 'whole'} onClick={() => onFollow('whole')}>
        Whole
      </button>
      <button type="button" aria-label="Larger" onClick={() => onZoom(1.25)}>
        +
      </button>
      <button type="button" aria-label="Smaller" onClick={() => onZoom(0.8)}>
        −
      </button>
    </div>
  )
}
