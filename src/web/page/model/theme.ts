/** The colour theme: that of the system, unless the user chose one. */
import {effect, signal} from '@preact/signals'

export const themes = ['system', 'light', 'dark'] as const
export type Theme = (typeof themes)[number]

const key = 'tally-theme'
const prefersDark = matchMedia('(prefers-color-scheme: dark)')
const systemIsDark = signal(prefersDark.matches)
prefersDark.addEventListener('change', ({matches}) => {
  systemIsDark.value = matches
})

export const theme = signal<Theme>(themes.find((name) => name === localStorage.getItem(key)) ?? 'system')

export function isDark(): boolean {
  return theme.value === 'system' ? systemIsDark.value : theme.value === 'dark'
}

export function nextTheme(): void {
  theme.value = isDark() ? 'light' : 'dark'
}

effect(() => {
  document.documentElement.dataset['theme'] = theme.value
  if (theme.value === 'system') localStorage.removeItem(key)
  else localStorage.setItem(key, theme.value)
})
