// Numbers and times as people of the chosen language read them.
export const bytes = (value: number, language: string): string => {
  const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'];
  const power = value > 0 ? Math.min(Math.floor(Math.log10(value) / 3), units.length - 1) : 0;
  return new Intl.NumberFormat(language, {
    style: 'unit',
    unit: units[power] as string,
    // Short, a byte has no plural.
    unitDisplay: power === 0 ? 'long' : 'short',
    maximumFractionDigits: power > 2 ? 1 : 0,
  }).format(value / 1_000 ** power);
};

export const number = (value: number, language: string, digits = 1): string =>
  new Intl.NumberFormat(language, { maximumFractionDigits: digits }).format(value);

export const duration = (milliseconds: number, language: string): string =>
  milliseconds < 1_000
    ? new Intl.NumberFormat(language, { style: 'unit', unit: 'millisecond', maximumFractionDigits: 0 }).format(
        milliseconds,
      )
    : new Intl.NumberFormat(language, { style: 'unit', unit: 'second', maximumFractionDigits: 1 }).format(
        milliseconds / 1_000,
      );

const part = (value: number, unit: 'day' | 'hour' | 'minute' | 'second', language: string): string =>
  new Intl.NumberFormat(language, { style: 'unit', unit, unitDisplay: unit === 'day' ? 'long' : 'short' }).format(
    Math.floor(value),
  );

/** In its two largest units. */
export function uptime(seconds: number, language: string): string {
  const days = seconds / 86_400;
  const hours = seconds / 3_600;
  const minutes = seconds / 60;
  if (days >= 1) return `${part(days, 'day', language)} ${part(hours % 24, 'hour', language)}`;
  if (hours >= 1) return `${part(hours, 'hour', language)} ${part(minutes % 60, 'minute', language)}`;
  return minutes >= 1 ? part(minutes, 'minute', language) : part(seconds, 'second', language);
}

/** When something was said: of today the time, of this year no year. */
export function when(instant: string, language: string): string {
  const at = new Date(instant);
  const now = new Date();
  if (at.toDateString() === now.toDateString())
    return new Intl.DateTimeFormat(language, { timeStyle: 'short' }).format(at);
  return new Intl.DateTimeFormat(language, {
    day: 'numeric',
    month: 'short',
    ...(at.getFullYear() === now.getFullYear() ? {} : { year: 'numeric' }),
    hour: 'numeric',
    minute: '2-digit',
  }).format(at);
}

/** A moment, short and with its day. */
export const moment = (instant: string | number, language: string): string =>
  new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' }).format(new Date(instant));

export const day = (instant: string | number, language: string): string =>
  new Intl.DateTimeFormat(language, { dateStyle: 'medium' }).format(new Date(instant));

/** A time of this day. */
export const clock = (instant: string | number, language: string): string =>
  new Intl.DateTimeFormat(language, { timeStyle: 'medium' }).format(new Date(instant));
