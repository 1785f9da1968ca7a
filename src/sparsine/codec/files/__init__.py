"""Folders of codes and of drawings: a file for each input, gone on with where an interrupted call ended.

collection, drawings   signals become a folder of codes, codes become a folder of pictures
reading, code_files    one input on its way in: read, recognised or turned away
coded, drawn           what became of one input, and of all
pipeline               reading ahead and writing behind, in batches of one shape
journal                what is done in a folder
"""
