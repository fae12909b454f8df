// Types a text into the element that has the focus, in place of what stands there, as a keyboard or a paste would.
// WebDriver's own keys do not do: Chromium's driver refuses characters beyond the basic plane, such as emoji.
document.execCommand('selectAll');
return document.execCommand('insertText', false, arguments[0]);
