// Colours for the common programming languages, loaded with the first code block.
import { common, createLowlight } from 'lowlight';

export const highlighter = createLowlight(common);
