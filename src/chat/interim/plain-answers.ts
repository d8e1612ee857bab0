// Short static answers in three languages, until the full templates take their place.
import type { IntentId, Language } from '../intent.js';
import type { ServiceMonitor } from '../services/service-monitor.js';
import type { StaticAnswer, StaticAnswers } from '../task-ports.js';

const HELP: Readonly<Record<Language, string>> = {
  en: 'I am Venom. Ask a question, ask for code, or choose Complex for a goal with several steps.',
  pl: 'Jestem Venom. Zadaj pytanie, poproś o kod albo wybierz tryb złożony dla celu w kilku krokach.',
  de: 'Ich bin Venom. Stelle eine Frage, bitte um Code oder wähle Komplex für ein Ziel in mehreren Schritten.',
};

const UNSUPPORTED: Readonly<Record<Language, string>> = {
  en: 'This needs a tool that is not installed here.',
  pl: 'To wymaga narzędzia, które nie jest tu zainstalowane.',
  de: 'Dafür ist ein Werkzeug nötig, das hier nicht installiert ist.',
};

export class PlainAnswers implements StaticAnswers {
  readonly #services: ServiceMonitor;

  constructor(services: ServiceMonitor) {
    this.#services = services;
  }

  answer(intent: IntentId, { language }: { language: Language | null }): StaticAnswer {
    const spoken = language ?? 'en';
    switch (intent) {
      case 'HELP_REQUEST':
        return { text: HELP[spoken], widget: HELP[spoken] };
      case 'TIME_REQUEST':
        return {
          text: new Intl.DateTimeFormat(spoken, { dateStyle: 'full', timeStyle: 'long' }).format(new Date()),
        };
      case 'INFRA_STATUS':
        return {
          text: this.#services
            .snapshot()
            .map(({ name, state }) => `- ${name}: ${state}`)
            .join('\n'),
        };
      default:
        return { text: UNSUPPORTED[spoken] };
    }
  }
}
