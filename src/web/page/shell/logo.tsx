/** The number five in tally marks. */
export function Logo() {
  return (
    <svg class="logo" viewBox="0 0 32 26" aria-hidden="true">
      <path class="logo-strokes" d="M7 3v20M13 3v20M19 3v20M25 3v20" />
      <path class="logo-slash" d="M2.5 19.5 29.5 6.5" />
    </svg>
  )
}
