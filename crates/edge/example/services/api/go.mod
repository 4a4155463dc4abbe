module shop.example.com/api

go 1.24
