// The words of the answers that need no model, in the product's languages.
import type { AdvancedMode, AgentId, ServiceFact } from './fast-path.js';
import type { Language } from './intent.js';

export const LOCALES: Readonly<Record<Language, string>> = { en: 'en-GB', pl: 'pl-PL', de: 'de-DE' };

interface FastPathTexts {
  who: string;
  agentsHeading: string;
  agents: Readonly<Record<AgentId, string>>;
  modesHeading: string;
  modes: Readonly<Record<AdvancedMode, string>>;
  pluginsHeading: string;
  examplesHeading: string;
  /** Shown where the agent is present. */
  examples: Readonly<Partial<Record<AgentId, string>>>;
  factsHeading: string;
  model: (name: string) => string;
  noModel: string;
  cloud: (names: string) => string;
  onlyLocal: string;
  memory: string;
  invitation: string;
  time: (at: { date: string; time: string; zone: string }) => string;
  statusHeading: string;
  statuses: Readonly<Record<ServiceFact['status'], string>>;
  noAlerts: string;
  alerts: (names: string) => string;
  statusAge: (seconds: number) => string;
  statusUnknown: string;
  unsupported: string;
  /** The wish is understood, and its tool is not there. */
  toolMissing: string;
  insteadHeading: string;
  askHelp: string;
}

const en: FastPathTexts = {
  who: 'I am **Venom**, an assistant that runs on your own machine.',
  agentsHeading: 'Who works here',
  agents: {
    coder: 'Coder: writes and mends code',
    critic: 'Critic: reviews code',
    researcher: 'Researcher: searches the web and names its sources',
    librarian: 'Librarian: searches your notes and documents, works with files',
    architect: 'Architect: plans large tasks and has them carried out step by step',
    git: 'Git: branches, commits, history',
    tester: 'Tester: runs the tests of your project and shows what failed',
    publisher: 'Publisher: writes documentation',
    release: 'Release: proposes version and changelog, sets the tag once you agree',
    executive: 'Executive: goals, progress, reports',
    toolmaker: 'Toolmaker: makes new tools',
    chat: 'Chat: talks, explains, writes texts',
  },
  modesHeading: 'Modes',
  modes: {
    direct: 'Direct: straight to the model, fastest',
    normal: 'Normal: with memory, tools and agents',
    complex: 'Complex: plans first, then acts',
    council: 'Council: several agents discuss a large task',
    campaign: 'Campaign: works on the goals by itself',
  },
  pluginsHeading: 'Plugins',
  examplesHeading: 'For example',
  examples: {
    coder: 'Write a function that checks an IBAN',
    researcher: 'What is new in SQLite? With sources, please',
    architect: 'Plan a small web shop',
    git: 'Show the last five commits',
    publisher: 'Write a README for this project',
  },
  factsHeading: 'Good to know',
  model: (name) => `Answers come from \`${name}\`.`,
  noModel: 'No model is active yet; install one under Models.',
  cloud: (names) => `Cloud models can be used: ${names}.`,
  onlyLocal: 'Everything stays on this machine: no cloud model is configured.',
  memory: 'I remember what you told me, and forget it when you say so.',
  invitation: 'Type `/` to see the commands, or simply ask.',
  time: ({ date, time, zone }) => `It is ${time} on ${date} (${zone}).`,
  statusHeading: '**State of the services.**',
  statuses: { online: 'online', degraded: 'degraded', offline: 'offline', unknown: 'unknown' },
  noAlerts: 'No critical alerts.',
  alerts: (names) => `⚠️ **Critical:** ${names}`,
  statusAge: (seconds) => `Checked ${seconds} s ago.`,
  statusUnknown: 'The state of the services has not been collected yet. Please ask again in a moment.',
  unsupported: 'I cannot do that: it needs something outside this system, such as a phone, a payment or a device.',
  toolMissing:
    'I understand what you want, but the tool for it is not installed here, and I will not pretend to have done it.',
  insteadHeading: 'What I can do',
  askHelp: 'Ask “what can you do?” for the whole list.',
};

const pl: FastPathTexts = {
  who: 'Jestem **Venom**, asystent działający na Twoim własnym komputerze.',
  agentsHeading: 'Kto tu pracuje',
  agents: {
    coder: 'Programista: pisze i naprawia kod',
    critic: 'Krytyk: robi przegląd kodu',
    researcher: 'Badacz: szuka w internecie i podaje źródła',
    librarian: 'Bibliotekarz: przeszukuje notatki i dokumenty, pracuje na plikach',
    architect: 'Architekt: planuje duże zadania i prowadzi je krok po kroku',
    git: 'Git: gałęzie, commity, historia',
    tester: 'Tester: uruchamia testy projektu i pokazuje, co zawiodło',
    publisher: 'Redaktor: pisze dokumentację',
    release: 'Wydania: proponuje wersję i listę zmian, taguje za Twoją zgodą',
    executive: 'Kierownik: cele, postępy, raporty',
    toolmaker: 'Narzędziowiec: tworzy nowe narzędzia',
    chat: 'Rozmowa: rozmawia, wyjaśnia, pisze teksty',
  },
  modesHeading: 'Tryby',
  modes: {
    direct: 'Bezpośredni: prosto do modelu, najszybciej',
    normal: 'Normalny: z pamięcią, narzędziami i agentami',
    complex: 'Złożony: najpierw plan, potem działanie',
    council: 'Rada: kilku agentów omawia duże zadanie',
    campaign: 'Kampania: samodzielnie pracuje nad celami',
  },
  pluginsHeading: 'Wtyczki',
  examplesHeading: 'Na przykład',
  examples: {
    coder: 'Napisz funkcję, która sprawdza numer IBAN',
    researcher: 'Co nowego w SQLite? Podaj źródła',
    architect: 'Zaplanuj mały sklep internetowy',
    git: 'Pokaż ostatnie pięć commitów',
    publisher: 'Napisz README dla tego projektu',
  },
  factsHeading: 'Warto wiedzieć',
  model: (name) => `Odpowiada model \`${name}\`.`,
  noModel: 'Żaden model nie jest jeszcze aktywny; zainstaluj go na stronie Modele.',
  cloud: (names) => `Można używać modeli w chmurze: ${names}.`,
  onlyLocal: 'Wszystko zostaje na tym komputerze: nie ma skonfigurowanego modelu w chmurze.',
  memory: 'Pamiętam, co mi powiesz, i zapominam na życzenie.',
  invitation: 'Wpisz `/`, aby zobaczyć polecenia, albo po prostu zapytaj.',
  time: ({ date, time, zone }) => `Jest ${time}, ${date} (${zone}).`,
  statusHeading: '**Stan usług.**',
  statuses: { online: 'działa', degraded: 'działa z zakłóceniami', offline: 'nie działa', unknown: 'nieznany' },
  noAlerts: 'Brak krytycznych alertów.',
  alerts: (names) => `⚠️ **Krytyczne:** ${names}`,
  statusAge: (seconds) => `Sprawdzono ${seconds} s temu.`,
  statusUnknown: 'Stan usług nie został jeszcze zebrany. Zapytaj ponownie za chwilę.',
  toolMissing:
    'Rozumiem, o co chodzi, ale nie ma tu zainstalowanego potrzebnego narzędzia, a nie będę udawać, że to zrobiłem.',
  unsupported:
    'Tego nie potrafię: potrzeba do tego czegoś spoza systemu, na przykład telefonu, płatności albo urządzenia.',
  insteadHeading: 'Co potrafię',
  askHelp: 'Zapytaj „co potrafisz?”, aby zobaczyć całą listę.',
};

const de: FastPathTexts = {
  who: 'Ich bin **Venom**, ein Assistent, der auf deinem eigenen Rechner läuft.',
  agentsHeading: 'Wer hier arbeitet',
  agents: {
    coder: 'Programmierer: schreibt und repariert Code',
    critic: 'Kritiker: begutachtet Code',
    researcher: 'Rechercheur: sucht im Internet und nennt Quellen',
    librarian: 'Bibliothekar: durchsucht Notizen und Dokumente, arbeitet mit Dateien',
    architect: 'Architekt: plant große Aufgaben und führt sie Schritt für Schritt aus',
    git: 'Git: Branches, Commits, Verlauf',
    tester: 'Tester: führt die Tests des Projekts aus und zeigt, was fehlschlug',
    publisher: 'Redakteur: schreibt Dokumentation',
    release: 'Release: schlägt Version und Änderungen vor, setzt den Tag nach Zustimmung',
    executive: 'Leitung: Ziele, Fortschritt, Berichte',
    toolmaker: 'Werkzeugmacher: baut neue Werkzeuge',
    chat: 'Gespräch: plaudert, erklärt, schreibt Texte',
  },
  modesHeading: 'Modi',
  modes: {
    direct: 'Direkt: ohne Umweg zum Modell, am schnellsten',
    normal: 'Normal: mit Gedächtnis, Werkzeugen und Agenten',
    complex: 'Komplex: erst der Plan, dann die Ausführung',
    council: 'Rat: mehrere Agenten besprechen eine große Aufgabe',
    campaign: 'Kampagne: arbeitet selbstständig an den Zielen',
  },
  pluginsHeading: 'Plugins',
  examplesHeading: 'Zum Beispiel',
  examples: {
    coder: 'Schreib eine Funktion, die eine IBAN prüft',
    researcher: 'Was gibt es Neues bei SQLite? Bitte mit Quellen',
    architect: 'Plane einen kleinen Onlineshop',
    git: 'Zeig mir die letzten fünf Commits',
    publisher: 'Schreib eine README für dieses Projekt',
  },
  factsHeading: 'Gut zu wissen',
  model: (name) => `Es antwortet \`${name}\`.`,
  noModel: 'Noch ist kein Modell aktiv; installiere eines unter Modelle.',
  cloud: (names) => `Cloud-Modelle können benutzt werden: ${names}.`,
  onlyLocal: 'Alles bleibt auf diesem Rechner: Es ist kein Cloud-Modell eingerichtet.',
  memory: 'Ich merke mir, was du mir sagst, und vergesse es auf Wunsch.',
  invitation: 'Tippe `/`, um die Befehle zu sehen, oder frag einfach.',
  time: ({ date, time, zone }) => `Es ist ${time} Uhr, ${date} (${zone}).`,
  statusHeading: '**Zustand der Dienste.**',
  statuses: { online: 'läuft', degraded: 'gestört', offline: 'läuft nicht', unknown: 'unbekannt' },
  noAlerts: 'Keine kritischen Meldungen.',
  alerts: (names) => `⚠️ **Kritisch:** ${names}`,
  statusAge: (seconds) => `Geprüft vor ${seconds} s.`,
  statusUnknown: 'Der Zustand der Dienste wurde noch nicht erfasst. Bitte frag gleich noch einmal.',
  toolMissing:
    'Ich verstehe, was gemeint ist, aber das Werkzeug dafür ist hier nicht installiert, und ich gebe nicht vor, es getan zu haben.',
  unsupported:
    'Das kann ich nicht: Dafür braucht es etwas außerhalb dieses Systems, etwa ein Telefon, eine Zahlung oder ein Gerät.',
  insteadHeading: 'Was ich kann',
  askHelp: 'Frag „Was kannst du?“ für die ganze Liste.',
};

export const FAST_PATH_TEXTS: Readonly<Record<Language, FastPathTexts>> = { en, pl, de };
