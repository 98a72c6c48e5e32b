"""The only sockets that camvet opens to devices, each exchange with a deadline and a byte cap."""
