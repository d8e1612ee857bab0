// Asks the reader for a file, where no button of the page stands for it.
export function chooseFile(accept: string, onFile: (file: File) => void): void {
  const field = document.createElement('input');
  field.type = 'file';
  field.accept = accept;
  field.onchange = () => {
    const [file] = field.files ?? [];
    if (file) onFile(file);
  };
  field.click();
}
