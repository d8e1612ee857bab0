// The parts of the Tools page, which its address names.
export const TOOL_TABS = ['servers', 'registry', 'skills', 'own'] as const;
export type ToolTab = (typeof TOOL_TABS)[number];

export const toToolTab = (value: unknown): { tab?: ToolTab } => {
  const tab = TOOL_TABS.find((each) => each === value);
  return tab ? { tab } : {};
};
